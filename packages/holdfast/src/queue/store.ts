/** The server's side of a queue: what can be asked of it, besides adding to it. */
import { bytesOf, listOf } from "../core/command/reply.ts";
import type { Core } from "../core/core.ts";
import { runScript, type UnclassedCall } from "../core/script/run.ts";
import type { Reply } from "../driver/port.ts";
import type { QueueKeys } from "./keys.ts";
import type { QueueSettings } from "./options.ts";
import { counts, type CountsResult, recover } from "./scripts.gen.ts";

export class QueueStore {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #settings: QueueSettings;

  constructor(core: Core, keys: QueueKeys, settings: QueueSettings) {
    this.#core = core;
    this.#keys = keys;
    this.#settings = settings;
  }

  /** Takes back what a dead worker held. */
  async recover(worker: string): Promise<{ readonly recovered: number; readonly buried: readonly string[] }> {
    const { workers, jobs, meta, dead, unique, control, idle, letters, lanes } = this.#keys;
    const { active, wakeKey } = this.#keys.worker(worker);
    const names = { workers, active, jobs, meta, ...lanes, dead, idle, letters, unique, control };
    const { maxCrashes, keep } = this.#settings;
    const { count: deadCount, ageMs: deadAgeMs } = keep.dead;
    const args = { worker, wakeKey, maxCrashes, deadCount, deadAgeMs, channel: this.#core.wakeups.channel };
    let recovered = 0;
    const buried: string[] = [];
    for (;;) {
      const answer = await runScript(this.#core.driver, recover, names, args, this.#call("queue.recover"));
      if (answer.status === "alive") return { recovered, buried };
      recovered += answer.recovered;
      buried.push(...answer.buried);
      if (answer.status === "ok") return { recovered, buried };
    }
  }

  counts(): Promise<CountsResult> {
    const { jobs, delayed, dead, completed, workers, control, blocked, lanes } = this.#keys;
    const names = { jobs, ...lanes, delayed, dead, completed, workers, control, blocked };
    const { keep } = this.#settings;
    const args = { deadAgeMs: keep.dead.ageMs, keepAgeMs: keep.completed.ageMs };
    return runScript(this.#core.driver, counts, names, args, this.#call("queue.counts"));
  }

  /** From now on a job is added for each that dies. @param idHead what its id begins with */
  async reportDeaths(idHead: string): Promise<void> {
    const { control } = this.#keys;
    await this.#send(["HSET", control, "onDead", idHead], "idempotent", control);
  }

  async pause(): Promise<void> {
    const { control } = this.#keys;
    await this.#send(["HSET", control, "paused", "1"], "idempotent", control);
  }

  /** Workers that listen are all woken: each of them may have free slots. */
  async resume(): Promise<void> {
    const { control, idle } = this.#keys;
    await this.#send(["HDEL", control, "paused", "until"], "idempotent", control);
    const listening = await this.#names(["ZRANGE", idle, "0", "999"], idle);
    const { channel } = this.#core.wakeups;
    await Promise.all(listening.map((wakeKey) => this.#send(["PUBLISH", channel, wakeKey], "idempotent", control)));
  }

  /** The kept outcome, or null. */
  async outcome(id: string, timeoutMs: number | undefined): Promise<Buffer | null> {
    const key = this.#keys.result(id);
    const call = {
      op: "queue.result",
      class: "read",
      key: id,
      timeoutMs: timeoutMs ?? this.#settings.timeoutMs,
    } as const;
    const reply = await this.#core.driver.send(["GET", key], call, key);
    return bytesOf(reply, "queue.result", id) ?? null;
  }

  async #names(args: readonly string[], key: string): Promise<string[]> {
    const reply = await this.#send(args, "read", key);
    return listOf(reply, `queue.${args[0]!.toLowerCase()}`, key).map(String);
  }

  #send(args: readonly string[], opClass: "read" | "idempotent", key: string): Promise<Reply> {
    return this.#core.driver.send(
      args,
      { op: `queue.${args[0]!.toLowerCase()}`, class: opClass, timeoutMs: this.#settings.timeoutMs },
      key,
    );
  }

  #call(op: string): UnclassedCall {
    return { op, timeoutMs: this.#settings.timeoutMs };
  }
}
