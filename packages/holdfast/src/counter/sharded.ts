/**
 * A counter whose ids are so hot that one key of each is too few: every id has as many keys as there are shards, each in a slot of its own.
 * What is added in one tick is added to one of them, as one sum; the value is the sum of all of them.
 *
 * Promises: no increment is lost; with an `idempotencyKey` one happens once. The value of an increment is not known, and there are no bounds: those
 * need one key. `get` reads the shards at moments that differ by a round trip: it has every increment that was answered before it was called.
 */
import { HoldfastError } from "../base/errors.ts";
import { givenOptions, listOf, type OptionNames } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import { type KeyRead, readKind } from "../core/batch/read-kind.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Core } from "../core/core.ts";
import { murmurHashOf } from "../core/hash/murmur.ts";
import { checkId, checkText, type EntryKeys, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import type { BatchItem } from "../core/script/run.ts";
import type { Driver } from "../driver/port.ts";
import { type CounterSettings, wholeNumber } from "./options.ts";
import {
  incrementShard,
  type IncrementShardArgs,
  type IncrementShardKeys,
  incrementShardOnce,
  type IncrementShardOnceArgs,
  type IncrementShardOnceKeys,
  type IncrementShardResult,
} from "./scripts.gen.ts";
import { numberOf } from "./store.ts";

export interface ShardedCounterIncrementOptions {
  /** Names this increment of this id, 1 to 256 characters: a repeat changes nothing. */
  readonly idempotencyKey?: string;
}

interface Add {
  readonly id: string;
  readonly by: number;
}
type ShardAdd = BatchItem<IncrementShardKeys, IncrementShardArgs>;
type ShardAddOnce = BatchItem<IncrementShardOnceKeys, IncrementShardOnceArgs>;

const NAMES: OptionNames<ShardedCounterIncrementOptions> = { idempotencyKey: true };
const MAX_IDEMPOTENCY_KEY = 256;
/** Increments that are added up in one tick; those of one id are one item. */
const MAX_ADDS = 4_096;
const MAX_ITEMS = 128;
/** Ids of `getMany` in flight, as each of them has many keys. */
const IDS = 16;
const SEED = 0x686f6c64;
const LANE = 0;
/** A shard that was not written for this part of the time to live has its siblings kept as well: they may be as idle. */
const IDLE_SHARE = 64;

/**
 * @example
 * const views = hf.counter("views", { shards: 16 });
 * await views.increment("front-page");
 * await views.get("front-page");
 */
export class ShardedCounter {
  readonly name: string;
  readonly #operations: Operations;
  readonly #driver: Driver;
  readonly #keys: EntryKeys;
  readonly #settings: CounterSettings;
  readonly #sums = new Lane();
  readonly #lane = new Lane();
  readonly #adds: BatchKind<Add, void>;
  readonly #shardAdds: BatchKind<ShardAdd, IncrementShardResult>;
  readonly #shardAddsOnce: BatchKind<ShardAddOnce, IncrementShardResult>;
  readonly #reads: BatchKind<KeyRead, number>;

  constructor(core: Core, name: string, settings: CounterSettings) {
    this.name = name;
    this.#operations = new Operations("counter", name);
    this.#driver = core.driver;
    this.#keys = core.keys.entries("counter", name);
    this.#settings = settings;
    const call = { op: "counter.increment", timeoutMs: settings.timeoutMs };
    this.#adds = { maxItems: MAX_ADDS, run: (group) => this.#addUp(group) };
    const adds = scriptKind<
      IncrementShardKeys,
      IncrementShardArgs,
      IncrementShardResult,
      ShardAdd,
      IncrementShardResult
    >(core.driver, incrementShard, call, orThrow);
    const once = scriptKind<
      IncrementShardOnceKeys,
      IncrementShardOnceArgs,
      IncrementShardResult,
      ShardAddOnce,
      IncrementShardResult
    >(core.driver, incrementShardOnce, call, orThrow);
    this.#shardAdds = { ...adds, maxItems: MAX_ITEMS };
    this.#shardAddsOnce = { ...once, maxItems: MAX_ITEMS };
    const reading = { op: "counter.get", class: "read", timeoutMs: settings.timeoutMs } as const;
    this.#reads = readKind(core.driver, reading, numberOf);
  }

  /**
   * Adds `by`, a whole number that may be negative.
   * Cost: one script on one of the shards; increments of one id made in the same tick are one, except those with an `idempotencyKey`.
   * @throws HoldfastError `UNSUPPORTED` if the shard's part would pass ±(2^53 - 1); it stays as it was
   * @throws OutcomeUnknownError if the answer was lost and there is no `idempotencyKey`
   */
  increment(id: Id, by: number = 1, options?: ShardedCounterIncrementOptions): Promise<void> {
    return this.#operations.run("increment", id, () => this.#add(id, wholeNumber(by), options));
  }

  /** Subtracts `by`; otherwise as `increment`. */
  decrement(id: Id, by: number = 1, options?: ShardedCounterIncrementOptions): Promise<void> {
    return this.#operations.run("decrement", id, () => this.#add(id, -wholeNumber(by), options));
  }

  /**
   * Returns the value; 0 if there is none. Cost: GET of every shard; those in the same slot, and of the same tick, share an MGET.
   * @throws HoldfastError `UNSUPPORTED` if the sum is beyond ±(2^53 - 1)
   */
  get(id: Id): Promise<number> {
    return this.#operations.run("get", id, () => this.#get(checkId("id", id)));
  }

  /** Returns the values of these ids, 0 for one that has none. Cost: as `get` for each. */
  getMany(ids: Iterable<Id>): Promise<Map<Id, number>> {
    return this.#operations.run("getMany", undefined, async () => {
      const wanted = [...new Set(listOf("ids", ids, "ids"))];
      for (const id of wanted) checkId("ids", id);
      const values = await inChunks(wanted, (chunk) => Promise.all(chunk.map((id) => this.#get(String(id)))), {
        size: IDS,
      });
      return new Map(wanted.map((id, at) => [id, values[at]!]));
    });
  }

  /** Sets it back to 0; false if it had not begun. What is added meanwhile may be counted or not. Idempotent. Cost: DEL of every shard. */
  reset(id: Id): Promise<boolean> {
    return this.#operations.run("reset", id, async () => {
      const call = {
        op: "counter.reset",
        class: "idempotent",
        key: checkId("id", id),
        timeoutMs: this.#settings.timeoutMs,
      } as const;
      this.#sums.flush(LANE);
      const removed = this.#shards(String(id)).map((key) => {
        this.#lane.flush(this.#driver.slotOf(key));
        return this.#driver.send(["DEL", key], call, key);
      });
      return (await Promise.all(removed)).some((count) => count === 1);
    });
  }

  async #add(id: Id, by: number, options: ShardedCounterIncrementOptions | undefined): Promise<void> {
    const named = checkId("id", id);
    const { idempotencyKey } = givenOptions(options, NAMES);
    if (idempotencyKey === undefined) return this.#sums.add(this.#adds, LANE, { id: named, by });
    const once = checkText("idempotencyKey", idempotencyKey, MAX_IDEMPOTENCY_KEY);
    this.#sums.flush(LANE);
    // A repeat finds its receipt.
    const counter = this.#keys.shard(named, murmurHashOf(once, SEED).low % this.#settings.shards);
    const args = { by, ttlMs: this.#settings.life.ttlMs, receiptTtlMs: this.#settings.receiptTtlMs };
    const item = { keys: { counter, receipt: `${counter}:once:${once}` }, args, key: named };
    await this.#settled(named, counter, await this.#lane.add(this.#shardAddsOnce, this.#driver.slotOf(counter), item));
  }

  /** What one tick adds to an id is one sum, which goes to one shard. */
  #addUp(group: readonly Pending<Add, void>[]): void {
    const open = new Map<string, { by: number; readonly pendings: Pending<Add, void>[] }>();
    for (const pending of group) {
      const { id, by } = pending.item;
      const sum = open.get(id);
      if (sum !== undefined && Number.isSafeInteger(sum.by + by)) {
        sum.by += by;
        sum.pendings.push(pending);
        continue;
      }
      if (sum !== undefined) this.#send(id, sum.by, sum.pendings);
      open.set(id, { by, pendings: [pending] });
    }
    for (const [id, { by, pendings }] of open) this.#send(id, by, pendings);
  }

  #send(id: string, by: number, pendings: readonly Pending<Add, void>[]): void {
    const counter = this.#keys.shard(id, Math.floor(this.#driver.runtime.random() * this.#settings.shards));
    const item = { keys: { counter }, args: { by, ttlMs: this.#settings.life.ttlMs }, key: id };
    this.#lane
      .add(this.#shardAdds, this.#driver.slotOf(counter), item)
      .then((result) => this.#settled(id, counter, result))
      .then(
        () => pendings.forEach((pending) => pending.resolve()),
        (error: unknown) => pendings.forEach((pending) => pending.reject(error)),
      );
  }

  /** Where a shard was idle for long, its siblings may be about to expire: what was counted goes on as long as anything is. */
  async #settled(id: string, written: string, result: IncrementShardResult): Promise<void> {
    if (result.status === "limit") throw this.#beyondIntegers(id, "the part of a shard");
    const { ttlMs } = this.#settings.life;
    if (ttlMs - result.leftMs < ttlMs / IDLE_SHARE && result.leftMs >= 0) return;
    const call = {
      op: "counter.increment",
      class: "idempotent",
      key: id,
      timeoutMs: this.#settings.timeoutMs,
    } as const;
    const siblings = this.#shards(id).filter((key) => key !== written);
    // What was added is added, whatever becomes of this.
    await Promise.allSettled(siblings.map((key) => this.#driver.send(["PEXPIRE", key, String(ttlMs)], call, key)));
  }

  async #get(id: string): Promise<number> {
    this.#sums.flush(LANE);
    const reads = this.#shards(id).map((key) => this.#lane.add(this.#reads, this.#driver.slotOf(key), { key, id }));
    const sum = (await Promise.all(reads)).reduce((all, each) => all + BigInt(each), 0n);
    if (sum >= Number.MIN_SAFE_INTEGER && sum <= Number.MAX_SAFE_INTEGER) return Number(sum);
    throw this.#beyondIntegers(id, "the sum");
  }

  #shards(id: string): string[] {
    return Array.from({ length: this.#settings.shards }, (_, shard) => this.#keys.shard(id, shard));
  }

  #beyondIntegers(id: string, what: string): HoldfastError {
    const message = `${this.#operations.where}: ${JSON.stringify(id)}: ${what} is beyond ±(2^53 - 1); nothing was changed`;
    return new HoldfastError("UNSUPPORTED", message, { op: "counter.increment", key: id });
  }
}
