/** Changes of a whole record: read, change, write over the version that was read. */
import { untilNoConflict } from "../core/update/compare-and-set.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Runtime } from "../base/runtime.ts";
import { asFields, type RecordFormat } from "./format.ts";
import { ANY_VERSION, type RecordStore, type ReplaceOp, type StoredRecord } from "./store.ts";

/** `conflict`: other writes intervened each time, or (with a `field`) another record has its unique value; nothing was changed. */
export type RecordUpdateResult<T> =
  | { readonly status: "ok"; readonly value: T; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "conflict"; readonly version: number; readonly field?: string };

export interface Change<T> {
  readonly op: ReplaceOp;
  readonly id: Id;
  /** The only version that may be changed, or ANY_VERSION. */
  readonly expected: number;
  readonly change: (value: T) => T | Promise<T>;
  /** What is changed where there is no record; undefined: nothing is. */
  readonly initial?: T | undefined;
}

/** `taken`: another record has the unique value of a field; `pending`: or is being written with it. */
export type Replaced =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number }
  | { readonly status: "taken"; readonly version: number; readonly field: string; readonly pending: boolean };

/** Where whole records are read, and written over what was read. */
export interface Wholes<T, Before extends { readonly version: number }> {
  read(id: Id): Promise<Before | undefined>;
  /** A copy of the caller's own. */
  valueOf(id: Id, before: Before): T;
  replace(op: ReplaceOp, id: Id, before: Before | undefined, value: T): Promise<Replaced>;
}

/** How often a value is asked for again that another record is being written with. */
const PENDING_ROUNDS = 5;

export class Updater<T extends object, Before extends { readonly version: number } = StoredRecord> {
  readonly #runtime: Runtime;
  readonly #wholes: Wholes<T, Before>;
  readonly #format: RecordFormat<T>;
  readonly #attempts: number;
  readonly #keyOf: (id: Id) => string;

  constructor(
    runtime: Runtime,
    wholes: Wholes<T, Before>,
    format: RecordFormat<T>,
    attempts: number,
    keyOf: (id: Id) => string,
  ) {
    this.#runtime = runtime;
    this.#wholes = wholes;
    this.#format = format;
    this.#attempts = attempts;
    this.#keyOf = keyOf;
  }

  /** @throws OutcomeUnknownError when an answer was lost and whether the change was written can no longer be known */
  run(change: Change<T>): Promise<RecordUpdateResult<T>> {
    const rounds = change.expected === ANY_VERSION ? this.#attempts : 1;
    return untilSettled(this.#runtime, rounds, () => this.#round(change));
  }

  async #round({ op, id, expected, change, initial }: Change<T>): Promise<RecordUpdateResult<T> | Taken> {
    const stored = await this.#wholes.read(id);
    if (stored === undefined && initial === undefined) return { status: "missing" };
    const version = stored?.version ?? 0;
    if (expected !== ANY_VERSION && expected !== version) return { status: "conflict", version };
    // As it would be read: a copy of each round's own, so that a change in place is not seen by the next.
    const before =
      stored === undefined ? this.#format.copy(this.#keyOf(id), initial!) : this.#wholes.valueOf(id, stored);
    const value = this.#format.checked(asFields("change", await change(before)));
    const written = await this.#wholes.replace(op, id, stored, value);
    return written.status === "ok" ? { status: "ok", value, version: written.version } : written;
  }
}

/** Again on a conflict, up to `rounds` times, and a few times where a unique value is another's that may not come to be. */
export async function untilSettled<Result extends { readonly status: string }>(
  runtime: Runtime,
  rounds: number,
  round: () => Promise<Result>,
): Promise<Exclude<Result, Taken> | Conflict> {
  let [conflicts, pendings] = [0, 0];
  const { result } = await untilNoConflict(runtime, rounds + PENDING_ROUNDS, async () => {
    const outcome = await round();
    const isPending = isTaken(outcome) && outcome.pending && (pendings += 1) < PENDING_ROUNDS;
    const isAgain = isPending || (outcome.status === "conflict" && (conflicts += 1) < rounds);
    return { status: isAgain ? "conflict" : "settled", result: outcome };
  });
  if (isTaken(result)) return { status: "conflict", version: result.version, field: result.field };
  return result as Exclude<Result, Taken>;
}

type Taken = Extract<Replaced, { status: "taken" }>;
type Conflict = { readonly status: "conflict"; readonly version: number; readonly field?: string };

function isTaken(outcome: { readonly status: string }): outcome is Taken {
  return outcome.status === "taken";
}

/** Records of one step, without indexes. */
export function plainWholes<T extends object>(store: RecordStore, format: RecordFormat<T>): Wholes<T, StoredRecord> {
  return {
    read: (id) => store.read(id),
    valueOf: (id, { fields }) => format.decode(store.key(id), fields),
    replace: (op, id, before, value) =>
      store.replace(op, id, before?.version ?? 0, format.encode(store.key(id), value)),
  };
}
