/** The server's side of counters: which calls share a command, and what the replies mean. */
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { type KeyRead, readKind } from "../core/batch/read-kind.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Driver, Reply } from "../driver/port.ts";
import { HoldfastError } from "../base/errors.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { decodeInt } from "../core/script/decode.ts";
import type { BatchItem, UnclassedCall } from "../core/script/run.ts";
import {
  increment,
  type IncrementArgs,
  type IncrementKeys,
  incrementOnce,
  type IncrementOnceArgs,
  type IncrementOnceKeys,
  type IncrementResult,
} from "./scripts.gen.ts";
import type { CounterLife, CounterSettings } from "./options.ts";

type Add = BatchItem<IncrementKeys, IncrementArgs>;
type AddOnce = BatchItem<IncrementOnceKeys, IncrementOnceArgs>;

/** In one script: at most about a millisecond of the server's time. */
const MAX_ADDS = 128;
const OP_GET = "counter.get";

export class CounterStore {
  readonly #driver: Driver;
  readonly #keys: EntryKeys;
  readonly #settings: CounterSettings;
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Add, IncrementResult>;
  readonly #addsOnce: BatchKind<AddOnce, IncrementResult>;
  readonly #reads: BatchKind<KeyRead, number>;

  constructor(driver: Driver, keys: EntryKeys, settings: CounterSettings) {
    this.#driver = driver;
    this.#keys = keys;
    this.#settings = settings;
    const call = this.#call("counter.increment");
    const adds = scriptKind<IncrementKeys, IncrementArgs, IncrementResult, Add, IncrementResult>(
      driver,
      increment,
      call,
      orThrow,
    );
    const addsOnce = scriptKind<IncrementOnceKeys, IncrementOnceArgs, IncrementResult, AddOnce, IncrementResult>(
      driver,
      incrementOnce,
      call,
      orThrow,
    );
    this.#adds = { ...adds, maxItems: MAX_ADDS };
    this.#addsOnce = { ...addsOnce, maxItems: MAX_ADDS };
    this.#reads = readKind(driver, { ...this.#call(OP_GET), class: "read" }, valueOf);
  }

  increment(id: Id, by: number, life: CounterLife): Promise<IncrementResult> {
    const counter = this.#keys.key(id);
    const add = { keys: { counter }, args: this.#args(by, life), key: String(id) };
    return this.#lane.add(this.#adds, this.#driver.slotOf(counter), add);
  }

  incrementOnce(id: Id, by: number, life: CounterLife, idempotencyKey: string): Promise<IncrementResult> {
    const counter = this.#keys.key(id);
    const receipt = this.#keys.part(id, `once:${idempotencyKey}`);
    const args = { ...this.#args(by, life), receiptTtlMs: this.#settings.receiptTtlMs };
    const add = { keys: { counter, receipt }, args, key: String(id) };
    return this.#lane.add(this.#addsOnce, this.#driver.slotOf(counter), add);
  }

  get(id: Id): Promise<number> {
    const key = this.#keys.key(id);
    return this.#lane.add(this.#reads, this.#driver.slotOf(key), { key, id });
  }

  async reset(id: Id): Promise<boolean> {
    const key = this.#keys.key(id);
    this.#lane.flush(this.#driver.slotOf(key));
    const call = { ...this.#call("counter.reset"), class: "idempotent", key: String(id) } as const;
    return (await this.#driver.send(["DEL", key], call, key)) === 1;
  }

  #args(by: number, life: CounterLife): IncrementArgs {
    const { min, max } = this.#settings;
    return { by, min, max, ttlMs: life.ttlMs, renew: life.renew };
  }

  #call(op: string): UnclassedCall {
    return { op, timeoutMs: this.#settings.timeoutMs };
  }
}

function valueOf(outcome: Reply | HoldfastError, { id }: KeyRead): number {
  if (outcome instanceof HoldfastError) throw outcome;
  try {
    return outcome === null ? 0 : decodeInt(outcome);
  } catch (cause) {
    throw foreign(id, cause);
  }
}

function foreign(id: Id, cause: unknown): HoldfastError {
  const message = `${OP_GET} ${JSON.stringify(id)}: the key holds no whole number within ±(2^53 - 1)`;
  return new HoldfastError("WRONG_TYPE", message, { op: OP_GET, key: String(id), cause });
}
