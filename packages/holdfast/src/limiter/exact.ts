/**
 * Sliding log: each call that was allowed is remembered for one window, so in no stretch of that length are there more
 * than `limit` units. It costs an entry per call: about 40 bytes up to 128 of them, about 130 above.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import type { Algorithm } from "./algorithm.ts";
import { decided, type LimiterDecision, type LimiterPolicy } from "./decision.ts";
import { exact, type ExactArgs, exactPeek } from "./scripts.gen.ts";

const MICROS_PER_MS = 1_000;
/** About 1.3 MB for an id that takes all of them one by one. */
const MAX_LIMIT = 10_000;
/** About 31 years: added to the server's clock it stays far below 2^53. */
const MAX_WINDOW_MS = 1e12;

export class SlidingLog implements Algorithm<ExactArgs, ExactArgs, number[]> {
  readonly policy: LimiterPolicy;
  readonly part = "exact";
  readonly maxItems = 64;
  readonly consume: typeof exact = exact;
  readonly peek: typeof exactPeek = exactPeek;
  /** Of a cost of 1: one object, because arguments that merged calls share are sent once. */
  readonly #argsOfOne: ExactArgs;

  constructor(policy: LimiterPolicy) {
    const { limit, windowMs } = policy;
    if (limit > MAX_LIMIT) {
      const expected = `at most ${MAX_LIMIT} with algorithm "exact", which stores an entry per call; or "sliding"`;
      throw new InvalidArgumentError("limit", expected, limit);
    }
    if (windowMs > MAX_WINDOW_MS) throw new InvalidArgumentError("window", "at most 31 years", windowMs);
    this.policy = policy;
    this.#argsOfOne = { cost: 1, limit, windowMicros: windowMs * MICROS_PER_MS };
  }

  consumeArgs(cost: number): ExactArgs {
    return cost === 1 ? this.#argsOfOne : { ...this.#argsOfOne, cost };
  }

  peekArgs(cost: number): ExactArgs {
    return this.consumeArgs(cost);
  }

  consumed(reply: number[]): LimiterDecision {
    const [allowed, taken, waitMicros, resetMicros] = reply as [number, number, number, number];
    const remaining = Math.max(0, this.policy.limit - taken);
    return decided(this.policy, allowed === 1, remaining, toMs(waitMicros), toMs(resetMicros));
  }

  peeked(reply: number[]): LimiterDecision {
    return this.consumed(reply);
  }
}

/** Rounded up: after that wait the call is not too early. */
function toMs(micros: number): number {
  return Math.ceil(micros / MICROS_PER_MS);
}
