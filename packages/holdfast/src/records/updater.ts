/** Changes of a whole record: read, change, write over the version that was read. */
import { untilNoConflict } from "../core/update/compare-and-set.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Runtime } from "../base/runtime.ts";
import { asFields, type RecordFormat } from "./format.ts";
import { ANY_VERSION, type RecordStore, type ReplaceOp } from "./store.ts";

/** `conflict`: other writes intervened each time; nothing was changed. */
export type RecordUpdateResult<T> =
  | { readonly status: "ok"; readonly value: T; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "conflict"; readonly version: number };

export interface Change<T> {
  readonly op: ReplaceOp;
  readonly id: Id;
  /** The only version that may be changed, or ANY_VERSION. */
  readonly expected: number;
  readonly change: (value: T) => T | Promise<T>;
  /** What is changed where there is no record; undefined: nothing is. */
  readonly initial?: T | undefined;
}

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

  /** @throws OutcomeUnknownError when an answer was lost and whether the change was written can no longer be known */
  run(change: Change<T>): Promise<RecordUpdateResult<T>> {
    const rounds = change.expected === ANY_VERSION ? this.#attempts : 1;
    return untilNoConflict(this.#runtime, rounds, () => this.#round(change));
  }

  async #round({ op, id, expected, change, initial }: Change<T>): Promise<RecordUpdateResult<T>> {
    const key = this.#store.key(id);
    const stored = await this.#store.read(id);
    if (stored === undefined && initial === undefined) return { status: "missing" };
    const version = stored?.version ?? 0;
    if (expected !== ANY_VERSION && expected !== version) return { status: "conflict", version };
    // As it would be read: a copy of each round's own, so that a change in place is not seen by the next.
    const before = stored === undefined ? this.#format.copy(key, initial!) : this.#format.decode(key, stored.fields);
    const value = this.#format.checked(asFields("change", await change(before)));
    const written = await this.#store.replace(op, id, version, this.#format.encode(key, value));
    return written.status === "ok" ? { status: "ok", value, version: written.version } : written;
  }
}
