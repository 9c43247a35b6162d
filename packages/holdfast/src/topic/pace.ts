/** No more messages begin in a span of time than a handler may be given: exactly so in every span, not only from one full second to the next. */
import { type Duration, givenOptions, type OptionNames, toTimerMs, wholeBetween } from "../base/options.ts";
import type { Runtime, Timer } from "../base/runtime.ts";

/** At most `limit` messages begin in any span of `per`. */
export interface TopicRate {
  /** 1 to 100,000. */
  readonly limit: number;
  readonly per: Duration;
}

export interface PaceSettings {
  readonly limit: number;
  readonly perMs: number;
}

const OPTIONS: OptionNames<TopicRate> = { limit: true, per: true };
const MAX_LIMIT = 100_000;

export function paceSettings(given: TopicRate | undefined): PaceSettings | undefined {
  if (given === undefined) return undefined;
  const { limit, per } = givenOptions(given, OPTIONS, "rate");
  return { limit: wholeBetween("rate.limit", limit, 1, MAX_LIMIT), perMs: toTimerMs("rate.per", per) };
}

export class Pace {
  readonly #runtime: Runtime;
  readonly #settings: PaceSettings;
  readonly #onFree: () => void;
  /** When the last `limit` began, the oldest first, from `#first` round. */
  readonly #begun: Float64Array;
  #first = 0;
  #count = 0;
  #timer: Timer | undefined;

  /** @param onFree called when one more may begin, after `free` was none */
  constructor(runtime: Runtime, settings: PaceSettings, onFree: () => void) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#onFree = onFree;
    this.#begun = new Float64Array(settings.limit);
  }

  /** How many may begin now. Where it is none, `onFree` follows. */
  get free(): number {
    const { limit } = this.#settings;
    const now = this.#runtime.now();
    while (this.#count > 0 && this.#freeAt <= now) {
      this.#first = (this.#first + 1) % limit;
      this.#count -= 1;
    }
    if (this.#count === limit) this.#wake(this.#freeAt - now);
    return limit - this.#count;
  }

  /** How long until one may begin. */
  get waitMs(): number {
    return this.free > 0 ? 0 : this.#freeAt - this.#runtime.now();
  }

  /** How many may begin within `ms`, in the mean; one at least. */
  within(ms: number): number {
    const { limit, perMs } = this.#settings;
    return Math.max(1, this.free, Math.floor((limit * ms) / perMs));
  }

  begin(count: number): void {
    const { limit } = this.#settings;
    const now = this.#runtime.now();
    for (let at = 0; at < count; at += 1) this.#begun[(this.#first + this.#count + at) % limit] = now;
    this.#count += count;
  }

  /** Nothing is called any more. */
  close(): void {
    this.#runtime.clearTimeout(this.#timer);
  }

  get #freeAt(): number {
    return this.#begun[this.#first]! + this.#settings.perMs;
  }

  #wake(ms: number): void {
    this.#timer ??= this.#runtime.setTimeout(() => {
      this.#timer = undefined;
      this.#onFree();
    }, Math.ceil(ms));
  }
}
