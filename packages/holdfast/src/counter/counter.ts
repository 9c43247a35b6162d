/**
 * Counters: one whole number per id, added to atomically within bounds.
 *
 * What it promises: no increment of any process is lost or goes past a bound; the time to live is set by the command that
 * creates the counter, so none is left without; with an `idempotencyKey` an increment is done once however often it is
 * sent. While the server is away calls wait for it until their deadline and then reject; an increment
 * without an `idempotencyKey` whose answer was lost rejects with OutcomeUnknownError, as it may have been counted.
 */
import type { Core } from "../core/core.ts";
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { checkId, checkText, type Id } from "../core/keyspace/keyspace.ts";
import { observed } from "../core/observe/observe.ts";
import type { Duration } from "../base/options.ts";
import { type CounterOptions, counterSettings, type CounterSettings, fixedLife } from "./options.ts";
import { CounterStore } from "./store.ts";

export interface IncrementOptions {
  /** Names this increment of this id, 1 to 256 characters: a repeat changes nothing and is answered like the first. */
  readonly idempotencyKey?: string;
  /** Instead of the counter's own time to live, should this increment create it. */
  readonly ttl?: Duration;
}

/** `limit`: it would have gone past `min` or `max`, so it was not done; `value` is as it was. */
export type IncrementOutcome =
  | { readonly status: "ok"; readonly value: number }
  | { readonly status: "limit"; readonly value: number };

const MAX_IDEMPOTENCY_KEY = 256;

export class Counter {
  readonly name: string;
  readonly #settings: CounterSettings;
  readonly #store: CounterStore;

  constructor(core: Core, name: string, options: CounterOptions = {}) {
    this.name = name;
    this.#settings = counterSettings(options);
    this.#store = new CounterStore(core.driver, core.keys.entries("counter", name), this.#settings);
  }

  /**
   * Adds `by`, a whole number that may be negative, and gives the sum.
   * Cost: one script (GET and SET or INCRBY); calls of one turn of the event loop on one slot share it.
   * @throws HoldfastError `UNSUPPORTED` when a counter without a bound would pass ±(2^53 - 1); it stays as it was
   * @throws OutcomeUnknownError when the answer was lost and there is no `idempotencyKey`
   */
  increment(id: Id, by: number = 1, options: IncrementOptions = {}): Promise<IncrementOutcome> {
    return observed("counter.increment", id, async () => this.#add(id, whole(by), options));
  }

  /** As `increment` with `by` taken away. */
  decrement(id: Id, by: number = 1, options: IncrementOptions = {}): Promise<IncrementOutcome> {
    return observed("counter.decrement", id, async () => this.#add(id, -whole(by), options));
  }

  /** The value; 0 where there is none. Cost: MGET, shared by calls of one turn of the event loop on one slot. */
  get(id: Id): Promise<number> {
    return observed("counter.get", id, async () => this.#store.get(id));
  }

  /** The values of all these ids, 0 where there is none. Cost: one MGET per slot and 512 ids. */
  getMany(ids: Iterable<Id>): Promise<Map<Id, number>> {
    return observed("counter.getMany", undefined, async () => {
      const wanted = [...new Set(ids)];
      // All of them before the first is asked for: nobody would hear of the failure of one that was.
      for (const id of wanted) checkId("id", id);
      const values = await Promise.all(wanted.map((id) => this.#store.get(id)));
      return new Map(wanted.map((id, at) => [id, values[at]!]));
    });
  }

  /** Back to 0, with its time to live; false where it was not begun. Keeps remembering idempotency keys. Idempotent. Cost: DEL. */
  reset(id: Id): Promise<boolean> {
    return observed("counter.reset", id, () => this.#store.reset(id));
  }

  async #add(id: Id, by: number, { idempotencyKey, ttl }: IncrementOptions): Promise<IncrementOutcome> {
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
    if (outcome.status === "limit" && this.#isUnbounded(by)) throw beyondIntegers(id, by, outcome.value);
    return outcome;
  }

  /** Whether the bound in the direction of `by` is none of the user's, but where whole numbers end. */
  #isUnbounded(by: number): boolean {
    const { min, max } = this.#settings;
    return by < 0 ? min === Number.MIN_SAFE_INTEGER : max === Number.MAX_SAFE_INTEGER;
  }
}

function whole(by: number): number {
  if (Number.isSafeInteger(by)) return by;
  throw new InvalidArgumentError("by", "a whole number within ±(2^53 - 1)", by);
}

function beyondIntegers(id: Id, by: number, value: number): HoldfastError {
  const message = `counter ${JSON.stringify(id)}: ${value} + ${by} is beyond ±(2^53 - 1); nothing was changed`;
  return new HoldfastError("UNSUPPORTED", message, { op: "counter.increment", key: String(id) });
}
