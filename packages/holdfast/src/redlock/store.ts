/** One server's side of one lock: what its scripts can be asked. */
import type { Core } from "../core/core.ts";
import type { AttemptCall } from "../core/lease/request.ts";
import { runScript } from "../core/script/run.ts";
import { acquire, extend, release } from "./scripts.gen.ts";

export type VoteReply = { status: "given"; fence: number } | { status: "busy" };
export type VoteExtension = "extended" | "expired" | "stolen";
export type VoteEnd = "released" | "expired" | "stolen";

export class VoteStore {
  readonly #core: Core;
  readonly #name: string;
  readonly #lock: string;
  readonly #fence: string;
  readonly #part: (token: string) => string;

  constructor(core: Core, name: string) {
    this.#core = core;
    this.#name = name;
    const keys = core.keys.group("redlock", name);
    this.#lock = keys.key;
    this.#fence = keys.part("fence");
    this.#part = (token) => keys.part("ended", token);
  }

  acquire(
    token: string,
    terms: { readonly ttlMs: number; readonly maxTtlMs: number },
    call: AttemptCall,
  ): Promise<VoteReply> {
    const args = { token, ttlMs: terms.ttlMs, maxTtlMs: terms.maxTtlMs, lateCopies: this.#core.lateCopies };
    return runScript(this.#core.driver, acquire, this.#keys(token), args, this.#call("acquire", call));
  }

  async extend(token: string, ttlMs: number, fence: number, call: AttemptCall): Promise<VoteExtension> {
    const args = { token, ttlMs, number: fence, lateCopies: this.#core.lateCopies };
    const answer = await runScript(this.#core.driver, extend, this.#keys(token), args, this.#call("extend", call));
    return answer.status;
  }

  /** `released` also where an answer was lost and the vote is gone: nobody else can have taken it back. */
  async release(token: string, call: AttemptCall): Promise<VoteEnd> {
    const { lock, ended } = this.#keys(token);
    const args = { token, lateCopies: this.#core.lateCopies };
    let repeated = false;
    const onRepeat = (): typeof args => {
      repeated = true;
      return args;
    };
    const options = this.#call("release", call);
    const { status } = await runScript(this.#core.driver, release, { lock, ended }, args, options, onRepeat);
    return repeated && status === "expired" ? "released" : status;
  }

  #keys(token: string): { readonly lock: string; readonly fence: string; readonly ended: string } {
    return { lock: this.#lock, fence: this.#fence, ended: this.#part(token) };
  }

  #call(verb: string, { timeoutMs, signal }: AttemptCall) {
    // A server that is silent is not waited for: the others are enough.
    return { op: `redlock.${verb}`, key: this.#name, timeoutMs, signal, patienceMs: timeoutMs };
  }
}
