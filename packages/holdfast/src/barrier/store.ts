/** The server's side of one barrier. */
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Core } from "../core/core.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import { runScript, type UnclassedCall } from "../core/script/run.ts";
import type { BarrierSettings } from "./options.ts";
import { arrive, type ArriveResult, leave, look, type LookResult, renew, withdraw } from "./scripts.gen.ts";

export class BarrierStore {
  readonly name: string;
  /** On which it is announced that all have entered, that all have left, and that it is broken. */
  readonly channel: string;
  readonly #core: Core;
  readonly #settings: BarrierSettings;
  readonly #keys: { readonly barrier: string; readonly members: string };

  constructor(core: Core, name: string, settings: BarrierSettings) {
    this.name = name;
    this.#core = core;
    this.#settings = settings;
    const keys = core.keys.group("barrier", name);
    this.#keys = { barrier: keys.key, members: keys.part("members") };
    this.channel = core.keys.channel("barrier", name);
  }

  /** Nothing happens once `leftMs` are over: one that has given up is not to be one of those who enter. */
  async arrive(token: string, leftMs: number): Promise<ArriveResult> {
    const { parties, ttlMs, timeoutMs } = this.#settings;
    const clock = ServerClock.of(this.#core.driver);
    const details = { op: "barrier.enter", key: this.name };
    const now = await clock.required(`barrier ${JSON.stringify(this.name)}`, details);
    const untilMs = Math.ceil(now + Math.min(leftMs, timeoutMs));
    const args = { token, parties, ttlMs, untilMs, channel: this.channel };
    const result = await runScript(this.#core.driver, arrive, this.#keys, args, this.#call("enter"));
    // The server was slow, or its clock was set forward, or another server's is ahead.
    if (result.status === "late") clock.forget();
    return result;
  }

  async renew(token: string, round: number, ttlMs: number, call: AttemptCall): Promise<"extended" | "expired"> {
    const args = { token, round, ttlMs, channel: this.channel };
    const timeoutMs = Math.min(call.timeoutMs, this.#settings.timeoutMs);
    const options = this.#call("renew", { timeoutMs, signal: call.signal });
    return (await runScript(this.#core.driver, renew, this.#keys, args, options)).status;
  }

  async leave(token: string, round: number): Promise<"left" | "broken"> {
    const args = { token, round, channel: this.channel };
    return (await runScript(this.#core.driver, leave, this.#keys, args, this.#call("leave"))).status;
  }

  /** What cannot be withdrawn now, ends by its ttl. */
  async withdraw(token: string): Promise<void> {
    const args = { token, channel: this.channel };
    const withdrawn = runScript(this.#core.driver, withdraw, this.#keys, args, this.#call("enter"));
    await withdrawn.catch(() => undefined);
  }

  look(round: number): Promise<LookResult> {
    const args = { round, channel: this.channel };
    return runScript(this.#core.driver, look, this.#keys, args, this.#call("leave"));
  }

  #call(verb: string, call: AttemptCall = this.#settings): UnclassedCall {
    return { op: `barrier.${verb}`, key: this.name, timeoutMs: call.timeoutMs, signal: call.signal };
  }
}
