/** Sums by minute, hour or day of UTC, of the last so many of them. */
import { type OptionNames, givenOptions, wholeBetween } from "../base/options.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Core } from "../core/core.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import type { Operations } from "../core/observe/observe.ts";
import type { CounterRing } from "./options.ts";
import type { CounterStore } from "./store.ts";

export interface CounterWindowSpan {
  /** Periods, the present one among them; 1 to as many as are kept. @default as many as are kept */
  readonly last?: number;
}

export interface CounterPeriodSum {
  /** When the period begins, in milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

const NAMES: OptionNames<CounterWindowSpan> = { last: true };

/**
 * @example
 * const perMinute = hf.counter("hits", { windows: ["minute"] }).window("minute");
 * const lastFive = await perMinute.sum("home", { last: 5 });
 */
export class CounterWindow {
  readonly #operations: Operations;
  readonly #clock: ServerClock;
  readonly #store: Pick<CounterStore<never>, "ring">;
  readonly #ring: CounterRing;

  constructor(core: Core, operations: Operations, store: Pick<CounterStore<never>, "ring">, ring: CounterRing) {
    this.#operations = operations;
    this.#clock = ServerClock.of(core.driver);
    this.#store = store;
    this.#ring = ring;
  }

  /** Returns what was added in the last periods, the present one among them. Cost: HMGET of up to 16 periods, else HGETALL. */
  sum(id: Id, span?: CounterWindowSpan): Promise<number> {
    return this.#operations.run("window", id, async () => {
      const values = await this.#read(id, span);
      return values.reduce((sum, { value }) => sum + value, 0);
    });
  }

  /** Returns what was added in each of the last periods, the oldest first; 0 where nothing was. Cost: as `sum`. */
  values(id: Id, span?: CounterWindowSpan): Promise<CounterPeriodSum[]> {
    return this.#operations.run("window", id, () => this.#read(id, span));
  }

  async #read(id: Id, span: CounterWindowSpan | undefined): Promise<CounterPeriodSum[]> {
    const named = checkId("id", id);
    const { keep, lengthMs } = this.#ring;
    const last = wholeBetween("last", givenOptions(span, NAMES).last ?? keep, 1, keep);
    const now = await this.#clock.required(this.#operations.where, { op: "counter.window", key: named });
    const present = Math.floor(now / lengthMs);
    const periods = Array.from({ length: last }, (_, at) => present - last + 1 + at);
    const sums = await this.#store.ring(named, this.#ring, periods);
    return periods.map((period) => ({ at: period * lengthMs, value: sums.get(period) ?? 0 }));
  }
}
