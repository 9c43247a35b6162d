/** Read, change, write if nobody wrote meanwhile; else again. */
import type { Id } from "../core/keyspace/keyspace.ts";
import { backoffMs } from "../driver/resilience/backoff.ts";
import { type Runtime, sleep } from "../base/runtime.ts";
import type { RecordFormat } from "./format.ts";
import { ANY_VERSION, type RecordStore, type ReplaceOp } from "./store.ts";

/** `conflict`: other writes came between each time; nothing was changed. */
export type RecordUpdateResult<T> =
  | { readonly status: "ok"; readonly value: T; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "conflict"; readonly version: number };

/** Of the writers that met one wins at once, so the others need to spread out over little more than a round trip. */
const CONTENTION = { baseMs: 2, maxMs: 64 };

export class Updater<T extends object> {
  readonly #runtime: Runtime;
  readonly #store: RecordStore;
  readonly #format: RecordFormat<T>;
  readonly #attempts: number;

  constructor(runtime: Runtime, store: RecordStore, format: RecordFormat<T>, attempts: number) {
    this.#runtime = runtime;
    this.#store = store;
    this.#format = format;
    this.#attempts = attempts;
  }

  /** @param expected the only version that may be changed, or ANY_VERSION */
  async run(
    op: ReplaceOp,
    id: Id,
    expected: number,
    change: (value: T) => T | Promise<T>,
  ): Promise<RecordUpdateResult<T>> {
    let version = 0;
    for (let attempt = 0; attempt < this.#attempts; attempt += 1) {
      if (attempt > 0) await sleep(this.#runtime, backoffMs(this.#runtime, CONTENTION, attempt - 1));
      const outcome = await this.#attempt(op, id, expected, change);
      if (outcome.status !== "conflict" || expected !== ANY_VERSION) return outcome;
      version = outcome.version;
    }
    return { status: "conflict", version };
  }

  async #attempt(
    op: ReplaceOp,
    id: Id,
    expected: number,
    change: (value: T) => T | Promise<T>,
  ): Promise<RecordUpdateResult<T>> {
    const key = this.#store.key(id);
    const stored = await this.#store.read(id);
    if (stored === undefined) return { status: "missing" };
    if (expected !== ANY_VERSION && expected !== stored.version) return { status: "conflict", version: stored.version };
    const value = this.#format.checked(await change(this.#format.decode(key, stored.fields)));
    const written = await this.#store.replace(op, id, stored.version, this.#format.encode(key, value));
    return written.status === "ok" ? { status: "ok", value, version: written.version } : written;
  }
}
