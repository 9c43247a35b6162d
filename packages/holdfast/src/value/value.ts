/**
 * Values: one small thing by name that every process reads and some change, such as settings or feature flags.
 *
 * Promises: each write is one atomic step and makes a version that is higher than all before it, also across a deletion and
 * the loss of the key; `compareAndSet` writes only over the version that it names; an `update` happens once. Who watches sees
 * the present value, then newer ones only, and hears when it may be stale.
 *
 * While the server is away: calls wait for it until their deadline and then reject; a write whose answer was lost is repeated
 * and recognised; who watches keeps what was last seen, marked as stale.
 */
import type { Core } from "../core/core.ts";
import { InvalidArgumentError, kindGiven } from "../base/errors.ts";
import { givenOptions } from "../base/options.ts";
import { Operations } from "../core/observe/observe.ts";
import { untilNoConflict } from "../core/update/compare-and-set.ts";
import { Follower } from "../core/wait/follower.ts";
import {
  UPDATE_OPTIONS,
  type ValueOptions,
  valueSettings,
  type ValueSettings,
  type ValueUpdateOptions,
  type ValueWatchOptions,
  watching,
} from "./options.ts";
import { ANY_VERSION, type ValueEntry, ValueStore } from "./store.ts";
import { type ValueState, Watcher } from "./watcher.ts";

export interface ValueSetResult {
  readonly status: "ok";
  readonly version: number;
}

/** `conflict`: another version is stored, 0 where there is none; nothing was changed. */
export type ValueCompareAndSetResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number };

/** `missing`: nothing is stored, and there is no `initial`. `conflict`: other writes intervened each time. Nothing was changed. */
export type ValueUpdateResult<V> =
  | { readonly status: "ok"; readonly value: V; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "conflict"; readonly version: number };

/** A value as it changes; for `for await`. */
export type ValueStates<V> = AsyncIterableIterator<ValueState<V>, undefined, undefined> & AsyncDisposable;

/**
 * One value.
 * @example
 * const flags = hf.value<Flags>("flags", { initial: { newCheckout: false } });
 * for await (const { value, stale } of flags.watch()) apply(value, stale);
 */
export class Value<V> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #settings: ValueSettings<V>;
  readonly #store: ValueStore<V>;

  constructor(core: Core, name: string, options?: ValueOptions<V>) {
    this.name = name;
    this.#core = core;
    this.#operations = new Operations("value", name);
    this.#settings = valueSettings(core, this.#operations.where, options);
    this.#store = new ValueStore(core, name, this.#settings);
  }

  /**
   * Returns the value and its version; where there is none, `initial` with version 0, or undefined.
   * Cost: HMGET.
   * @throws CodecError when the value is there and this configuration cannot read it
   */
  get(): Promise<ValueEntry<V> | undefined> {
    return this.#operations.run("get", this.name, () => this.#read("value.get", this.#store.initial()));
  }

  /**
   * Stores the value over whatever is there.
   * Cost: one script.
   * @throws OutcomeUnknownError when the answer was lost and the server knows no longer whether it was written
   */
  set(value: V): Promise<ValueSetResult> {
    return this.#operations.run("set", this.name, async () => {
      const result = await this.#store.write("value.set", ANY_VERSION, this.#store.encode(value));
      return { status: "ok", version: result.status === "ok" ? result.version : 0 };
    });
  }

  /**
   * Stores the value if `version` is what is there: one that was read, or 0 for no value.
   * Cost: one script.
   * @throws OutcomeUnknownError as `set`
   */
  compareAndSet(version: number, value: V): Promise<ValueCompareAndSetResult> {
    return this.#operations.run("compareAndSet", this.name, () => {
      if (!Number.isSafeInteger(version) || version < 0)
        throw new InvalidArgumentError("version", "a version that was read, or 0 for no value", kindGiven(version));
      return this.#store.write("value.compareAndSet", version, this.#store.encode(value));
    });
  }

  /**
   * Reads the value, changes it, and stores it over the version that was read; again where another write came first.
   * Cost: HMGET and one script, per attempt.
   * @throws OutcomeUnknownError as `set`; what `change` throws
   */
  update(change: (value: V) => V | Promise<V>, options?: ValueUpdateOptions<V>): Promise<ValueUpdateResult<V>> {
    return this.#operations.run("update", this.name, async () => {
      if (typeof change !== "function") throw new InvalidArgumentError("change", "a function", change);
      const { initial } = givenOptions(options, UPDATE_OPTIONS);
      const bytes = initial === undefined ? undefined : this.#store.encode(initial);
      return untilNoConflict(this.#core.driver.runtime, this.#settings.attempts, () => this.#change(change, bytes));
    });
  }

  /**
   * Deletes the value; false where there was none. Idempotent.
   * Cost: one script.
   */
  delete(): Promise<boolean> {
    return this.#operations.run("delete", this.name, () => this.#store.delete());
  }

  /**
   * Yields the value, and then each newer one; a slow consumer sees the latest and not each. `stale` while the server cannot be
   * asked.
   * Cost: SUBSCRIBE, and HMGET per change and per half minute.
   */
  watch(options?: ValueWatchOptions): ValueStates<V> {
    const signal = watching(this.#operations.where, options);
    return new Follower(this.#core, new Watcher(this.#store, this.#settings.timeoutMs), signal);
  }

  async #read(op: string, initial: V | undefined): Promise<ValueEntry<V> | undefined> {
    const stored = await this.#store.read(op);
    if (stored?.bytes !== undefined) return { value: this.#store.decode(stored.bytes), version: stored.version };
    return initial === undefined ? undefined : { value: initial, version: 0 };
  }

  async #change(change: (value: V) => V | Promise<V>, initial: Buffer | undefined): Promise<ValueUpdateResult<V>> {
    // A copy of each round's own, so that a change in place is not seen by the next.
    const before = initial === undefined ? this.#store.initial() : this.#store.decode(initial);
    const entry = await this.#read("value.update", before);
    if (entry === undefined) return { status: "missing" };
    const value = await change(entry.value);
    const written = await this.#store.write("value.update", entry.version, this.#store.encode(value));
    return written.status === "ok" ? { status: "ok", value, version: written.version } : written;
  }
}
