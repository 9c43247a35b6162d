/**
 * A counter: one whole number per id, which every process adds to, within bounds.
 *
 * Promises: no increment is lost or passes a bound; the script that creates a counter sets its time to live, so none is
 * left without one; with an `idempotencyKey` an increment happens once, however often it is sent. While the server is
 * away, calls wait for it until their deadline and then reject; an increment without an `idempotencyKey` whose answer
 * was lost rejects with OutcomeUnknownError, because it may have been counted. Sums by period (`windows`) are added to in the same script.
 */
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { checkId, checkText, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { type Duration, givenOptions, listOf, type OptionNames } from "../base/options.ts";
import { type CounterPeriod, type CounterSettings, fixedLife, MAX_INT64, MIN_INT64, wholeNumber } from "./options.ts";
import { CounterStore } from "./store.ts";
import { CounterWindow } from "./window.ts";

export interface CounterIncrementOptions {
  /** Names this increment of this id, 1 to 256 characters: a repeat changes nothing and returns the first answer. */
  readonly idempotencyKey?: string;
  /** Instead of the counter's own time to live, if this increment creates it. */
  readonly ttl?: Duration;
}

/** `limit`: the sum would pass `min` or `max`, so nothing was added; `value` is as it was. */
export type CounterIncrementResult<V extends number | bigint = number> =
  | { readonly status: "ok"; readonly value: V }
  | { readonly status: "limit"; readonly value: V };

const INCREMENT_NAMES: OptionNames<CounterIncrementOptions> = { idempotencyKey: true, ttl: true };
const MAX_IDEMPOTENCY_KEY = 256;

/**
 * @example
 * const seats = hf.counter("seats", { max: 180 });
 * const booked = await seats.increment("LH400", 2, { idempotencyKey: bookingId });
 * if (booked.status === "limit") console.log(`only ${180 - booked.value} left`);
 */
export class Counter<V extends number | bigint = number> {
  readonly name: string;
  readonly #core: Core;
  readonly #operations: Operations;
  readonly #settings: CounterSettings;
  readonly #store: CounterStore<V>;
  readonly #one: V;

  constructor(core: Core, name: string, settings: CounterSettings) {
    this.name = name;
    this.#core = core;
    this.#operations = new Operations("counter", name);
    this.#settings = settings;
    this.#store = new CounterStore<V>(core.driver, core.keys.entries("counter", name), settings);
    this.#one = (settings.isBig ? 1n : 1) as V;
  }

  /**
   * Adds `by`, a whole number that may be negative, and returns the sum.
   * Cost: one script (GET, and SET or INCRBY; with `windows` HGET, HSET and PEXPIRE for each); calls made in the same tick, in the same slot,
   * share it.
   * @throws HoldfastError `UNSUPPORTED` if a counter without a bound would pass ±(2^53 - 1), or 64 bits; it stays as it was
   * @throws OutcomeUnknownError if the answer was lost and there is no `idempotencyKey`
   */
  increment(id: Id, by: V = this.#one, options?: CounterIncrementOptions): Promise<CounterIncrementResult<V>> {
    return this.#operations.run("increment", id, () => this.#add(id, this.#whole(by), options));
  }

  /** Subtracts `by`; otherwise as `increment`. */
  decrement(id: Id, by: V = this.#one, options?: CounterIncrementOptions): Promise<CounterIncrementResult<V>> {
    return this.#operations.run("decrement", id, () => this.#add(id, -this.#whole(by) as V, options));
  }

  /** Returns the value; 0 if there is none. Cost: GET; calls made in the same tick, in the same slot, share an MGET. */
  get(id: Id): Promise<V> {
    return this.#operations.run("get", id, () => this.#store.get(id));
  }

  /** Returns the values of these ids, 0 for one that has none. Cost: one MGET per slot and 512 ids. */
  getMany(ids: Iterable<Id>): Promise<Map<Id, V>> {
    return this.#operations.run("getMany", undefined, async () => {
      const wanted = [...new Set(listOf("ids", ids, "ids"))];
      // All are checked before the first is read: nobody would hear of that one's failure.
      for (const id of wanted) checkId("id", id);
      const values = await inChunks(wanted, (chunk) => Promise.all(chunk.map((id) => this.#store.get(id))));
      return new Map(wanted.map((id, at) => [id, values[at]!]));
    });
  }

  /** Sets it back to 0, with its time to live; false if it had not begun. Idempotency keys stay. Idempotent. Cost: DEL. */
  reset(id: Id): Promise<boolean> {
    return this.#operations.run("reset", id, () => this.#store.reset(id));
  }

  /** The sums by period, to be read. @throws InvalidArgumentError where the counter does not keep them */
  window(per: CounterPeriod): CounterWindow {
    const ring = this.#settings.rings?.find((each) => each.per === per && each.keep > 0);
    if (ring !== undefined) return new CounterWindow(this.#core, this.#operations, this.#store, ring);
    const kept = this.#settings.rings?.filter(({ keep }) => keep > 0).map((each) => each.per) ?? [];
    const expected =
      kept.length === 0 ? "nothing, as the counter was made without `windows`" : `one of ${kept.join(", ")}`;
    throw this.#operations.refused("window", undefined, new InvalidArgumentError("per", expected, per));
  }

  async #add(id: Id, by: V, options: CounterIncrementOptions | undefined): Promise<CounterIncrementResult<V>> {
    const { idempotencyKey, ttl } = givenOptions(options, INCREMENT_NAMES);
    const life = ttl === undefined ? this.#settings.life : fixedLife(ttl);
    const outcome =
      idempotencyKey === undefined
        ? await this.#store.increment(id, by, life)
        : await this.#store.incrementOnce(
            id,
            by,
            life,
            checkText("idempotencyKey", idempotencyKey, MAX_IDEMPOTENCY_KEY),
          );
    if (outcome.status === "limit" && this.#isUnbounded(by)) throw this.#beyondIntegers(id);
    return outcome;
  }

  /** Whether the bound in the direction of `by` is not the user's but where whole numbers end. */
  #isUnbounded(by: V): boolean {
    const { min, max, isBig } = this.#settings;
    if (by < 0) return min === (isBig ? MIN_INT64 : Number.MIN_SAFE_INTEGER);
    return max === (isBig ? MAX_INT64 : Number.MAX_SAFE_INTEGER);
  }

  #beyondIntegers(id: Id): HoldfastError {
    const which = `${this.#operations.where}: ${JSON.stringify(id)}`;
    const message = `${which}: the sum is beyond ${this.#settings.isBig ? "64 bits" : "±(2^53 - 1)"}; nothing was changed`;
    return new HoldfastError("UNSUPPORTED", message, { op: "counter.increment", key: String(id) });
  }

  #whole(by: V): V {
    if (!this.#settings.isBig) return wholeNumber(by as number) as V;
    if (typeof by === "bigint" && by > MIN_INT64 && by <= MAX_INT64) return by;
    throw new InvalidArgumentError("by", "a bigint within ±(2n ** 63n - 1n)", by);
  }
}
