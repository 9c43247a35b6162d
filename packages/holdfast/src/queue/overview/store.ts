/** The server's side of what is counted of a queue. All of it lies in the slot of the queue's first partition. */
import { listOf } from "../../core/command/reply.ts";
import { inChunks } from "../../core/batch/in-chunks.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { QueueKeys } from "../keys.ts";
import { tally, workers, type WorkersResult } from "../scripts.gen.ts";
import type { Counts } from "./counts.ts";

export type WorkerRow = WorkersResult[number];

/** How long the counts of a minute are kept. */
export const KEPT_MS: number = 7 * 24 * 60 * 60_000;
/** Longer than a worker is quiet. */
const SEEN_MS = 60 * 60_000;
const MAX_WORKERS = 200;
const MAX_JOBS = 50;

/** Who a worker is, as it says itself. */
export interface About {
  readonly host: string;
  readonly pid: number;
  readonly concurrency: number;
}

export class TallyStore {
  readonly #core: Core;
  readonly #keys: QueueKeys;
  readonly #call: UnclassedCall;

  constructor(core: Core, keys: QueueKeys, timeoutMs: number | undefined) {
    this.#core = core;
    this.#keys = keys;
    this.#call = { op: "queue.stats", timeoutMs };
  }

  flush(worker: string, about: About, flush: number, counts: readonly string[]): Promise<unknown> {
    const names = { totals: this.#keys.totals, seen: this.#keys.seen(worker) };
    const args = { minutes: this.#keys.minutes, keepMs: KEPT_MS, seenMs: SEEN_MS, about: JSON.stringify(about) };
    return runScript(this.#core.driver, tally, names, { ...args, flush, counts }, this.#call);
  }

  totals(): Promise<Counts> {
    return this.#counts(this.#keys.totals);
  }

  /** Of minutes since 1970, in their order. */
  minutes(minutes: readonly number[]): Promise<Counts[]> {
    return inChunks(minutes, (chunk) =>
      Promise.all(chunk.map((minute) => this.#counts(`${this.#keys.minutes}${minute}`))),
    );
  }

  /** Of another partition too. */
  workers({ workers: key }: QueueKeys): Promise<WorkerRow[]> {
    const args = { most: MAX_WORKERS, mostJobs: MAX_JOBS };
    return runScript(this.#core.driver, workers, { workers: key }, args, { ...this.#call, op: "queue.overview" });
  }

  async about(worker: string): Promise<(About & { readonly since: number }) | undefined> {
    const seen = this.#keys.seen(worker);
    const call = { ...this.#call, class: "read" } as const;
    const reply = await this.#core.driver.send(["HMGET", seen, "about", "since"], call, seen);
    const [about, since] = listOf(reply, "queue.overview", seen);
    if (about === null || since === null) return undefined;
    return { ...(JSON.parse(String(about)) as About), since: Number(since) };
  }

  async #counts(key: string): Promise<Counts> {
    const reply = await this.#core.driver.send(["HGETALL", key], { ...this.#call, class: "read" }, key);
    const flat = listOf(reply, "queue.stats", key).map(String);
    const counts: Counts = new Map();
    for (let at = 0; at < flat.length; at += 2) counts.set(flat[at]!, Number(flat[at + 1]));
    return counts;
  }
}
