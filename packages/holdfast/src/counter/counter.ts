/**
 * A counter: one whole number per id, which every process adds to, within bounds.
 *
 * Promises: no increment is lost or passes a bound; the script that creates a counter sets its time to live, so none is
 * left without one; with an `idempotencyKey` an increment happens once, however often it is sent. While the server is
 * away, calls wait for it until their deadline and then reject; an increment without an `idempotencyKey` whose answer
 * was lost rejects with OutcomeUnknownError, because it may have been counted.
 */
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { checkId, checkText, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { type Duration, givenOptions, listOf, type OptionNames } from "../base/options.ts";
import { type CounterOptions, counterSettings, type CounterSettings, fixedLife } from "./options.ts";
import { CounterStore } from "./store.ts";

export interface CounterIncrementOptions {
  /** Names this increment of this id, 1 to 256 characters: a repeat changes nothing and returns the first answer. */
  readonly idempotencyKey?: string;
  /** Instead of the counter's own time to live, if this increment creates it. */
  readonly ttl?: Duration;
}

/** `limit`: the sum would pass `min` or `max`, so nothing was added; `value` is as it was. */
export type CounterIncrementResult =
  | { readonly status: "ok"; readonly value: number }
  | { readonly status: "limit"; readonly value: number };

const INCREMENT_NAMES: OptionNames<CounterIncrementOptions> = { idempotencyKey: true, ttl: true };
const MAX_IDEMPOTENCY_KEY = 256;

/**
 * @example
 * const seats = hf.counter("seats", { max: 180 });
 * const booked = await seats.increment("LH400", 2, { idempotencyKey: bookingId });
 * if (booked.status === "limit") console.log(`only ${180 - booked.value} left`);
 */
export class Counter {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: CounterSettings;
  readonly #store: CounterStore;

  constructor(core: Core, name: string, options?: CounterOptions) {
    this.name = name;
    this.#operations = new Operations("counter", name);
    const keys = core.keys.entries("counter", name);
    this.#settings = counterSettings(name, options);
    this.#store = new CounterStore(core.driver, keys, this.#settings);
  }

  /**
   * Adds `by`, a whole number that may be negative, and returns the sum.
   * Cost: one script (GET, and SET or INCRBY); calls made in the same tick, in the same slot, share it.
   * @throws HoldfastError `UNSUPPORTED` if a counter without a bound would pass ±(2^53 - 1); it stays as it was
   * @throws OutcomeUnknownError if the answer was lost and there is no `idempotencyKey`
   */
  increment(id: Id, by: number = 1, options?: CounterIncrementOptions): Promise<CounterIncrementResult> {
    return this.#operations.run("increment", id, () => this.#add(id, whole(by), options));
  }

  /** Subtracts `by`; otherwise as `increment`. */
  decrement(id: Id, by: number = 1, options?: CounterIncrementOptions): Promise<CounterIncrementResult> {
    return this.#operations.run("decrement", id, () => this.#add(id, -whole(by), options));
  }

  /** Returns the value; 0 if there is none. Cost: GET; calls made in the same tick, in the same slot, share an MGET. */
  get(id: Id): Promise<number> {
    return this.#operations.run("get", id, () => this.#store.get(id));
  }

  /** Returns the values of these ids, 0 for one that has none. Cost: one MGET per slot and 512 ids. */
  getMany(ids: Iterable<Id>): Promise<Map<Id, number>> {
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

  async #add(id: Id, by: number, options: CounterIncrementOptions | undefined): Promise<CounterIncrementResult> {
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
  #isUnbounded(by: number): boolean {
    const { min, max } = this.#settings;
    return by < 0 ? min === Number.MIN_SAFE_INTEGER : max === Number.MAX_SAFE_INTEGER;
  }

  #beyondIntegers(id: Id): HoldfastError {
    const which = `${this.#operations.where}: ${JSON.stringify(id)}`;
    const message = `${which}: the sum is beyond ±(2^53 - 1); nothing was changed`;
    return new HoldfastError("UNSUPPORTED", message, { op: "counter.increment", key: String(id) });
  }
}

function whole(by: number): number {
  if (Number.isSafeInteger(by)) return by;
  throw new InvalidArgumentError("by", "a whole number within ±(2^53 - 1)", by);
}
