/** The server's side of counters: which calls share a command, and what the replies mean. */
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import { scriptKind } from "../core/batch/script-kind.ts";
import type { Driver, Reply } from "../driver/port.ts";
import { HoldfastError } from "../base/errors.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { decodeInt } from "../core/script/decode.ts";
import type { BatchItem, ScriptCall } from "../core/script/run.ts";
import {
  increment,
  type IncrementArgs,
  type IncrementKeys,
  incrementOnce,
  type IncrementOnceArgs,
  type IncrementOnceKeys,
  type IncrementResult,
} from "./scripts.gen.ts";
import type { CounterSettings, Life } from "./options.ts";

type Add = BatchItem<IncrementKeys, IncrementArgs>;
type AddOnce = BatchItem<IncrementOnceKeys, IncrementOnceArgs>;

interface Read {
  readonly key: string;
  readonly id: Id;
}

/** One MGET of this many keys holds the server for some 100 microseconds. */
const MAX_KEYS_PER_READ = 512;
const OP_GET = "counter.get";

export class CounterStore {
  readonly #driver: Driver;
  readonly #keys: EntryKeys;
  readonly #settings: CounterSettings;
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Add, IncrementResult>;
  readonly #addsOnce: BatchKind<AddOnce, IncrementResult>;
  readonly #reads: BatchKind<Read, number>;

  constructor(driver: Driver, keys: EntryKeys, settings: CounterSettings) {
    this.#driver = driver;
    this.#keys = keys;
    this.#settings = settings;
    const call = this.#call("counter.increment");
    this.#adds = scriptKind(driver, increment, call, valueOrThrow);
    this.#addsOnce = scriptKind(driver, incrementOnce, call, valueOrThrow);
    this.#reads = { maxItems: MAX_KEYS_PER_READ, run: (group) => this.#readGroup(group) };
  }

  increment(id: Id, by: number, life: Life): Promise<IncrementResult> {
    const counter = this.#keys.key(id);
    const add = { keys: { counter }, args: this.#args(by, life), key: String(id) };
    return this.#lane.add(this.#adds, this.#driver.slotOf(counter), add);
  }

  incrementOnce(id: Id, by: number, life: Life, idempotencyKey: string): Promise<IncrementResult> {
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

  #args(by: number, life: Life): IncrementArgs {
    const { min, max } = this.#settings;
    return { by, min, max, ttlMs: life.ttlMs, renew: life.renew };
  }

  #call(op: string): ScriptCall {
    return { op, timeoutMs: this.#settings.timeoutMs };
  }

  #readGroup(group: readonly Pending<Read, number>[]): void {
    const first = group[0]!.item;
    const keys = group.map(({ item }) => item.key);
    const call = { ...this.#call(OP_GET), class: "read", key: String(first.id) } as const;
    this.#driver.send(["MGET", ...keys], call, first.key).then(
      (reply) => settleReads(group, reply as Reply[]),
      (error: unknown) => {
        for (const pending of group) pending.reject(error);
      },
    );
  }
}

function valueOrThrow(outcome: IncrementResult | HoldfastError): IncrementResult {
  if (outcome instanceof HoldfastError) throw outcome;
  return outcome;
}

function settleReads(group: readonly Pending<Read, number>[], replies: readonly Reply[]): void {
  for (const [at, pending] of group.entries()) {
    const reply = replies[at];
    try {
      pending.resolve(reply === null ? 0 : decodeInt(reply));
    } catch (cause) {
      pending.reject(foreign(pending.item.id, cause));
    }
  }
}

function foreign(id: Id, cause: unknown): HoldfastError {
  const message = `${OP_GET} ${JSON.stringify(id)}: the key holds no whole number within ±(2^53 - 1)`;
  return new HoldfastError("WRONG_TYPE", message, { op: OP_GET, key: String(id), cause });
}
