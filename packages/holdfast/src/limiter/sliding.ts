/**
 * Sliding window counter: the current window's count, plus the previous window's by the share of it which still lies
 * within the last `window`. The estimate takes the previous window as evenly filled
 * ("How we built rate limiting capable of scaling to millions of domains", Cloudflare, 2017).
 *
 * In any stretch of one window's length at most 2 · limit - 1 units pass. Such a stretch covers the end of one window and
 * the begin of the next, `elapsed` < window of it. No window counts more than `limit`, and the next is allowed at most
 * limit - previous · (window - elapsed) / window: together limit + previous · elapsed / window, which is below 2 · limit.
 *
 * All comparisons are of whole numbers, counted in units times milliseconds.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import { UnexpectedReplyError } from "../core/script/decode.ts";
import type { BatchScript } from "../core/script/script.ts";
import type { Algorithm, StateKey } from "./algorithm.ts";
import { decided, type LimiterDecision, type LimiterPolicy } from "./decision.ts";
import { sliding, type SlidingArgs, slidingPeek, type SlidingPeekArgs } from "./scripts.gen.ts";

const DOUBLE = 8;

export interface WindowCounts {
  /** Milliseconds since the current window began. */
  readonly elapsed: number;
  readonly current: number;
  readonly previous: number;
}

/** Its elapsed time is negative where it was denied: minus one, less the time. */
export const consume: BatchScript<StateKey, SlidingArgs, WindowCounts> = {
  ...sliding,
  decode: (reply) => countsOf(sliding.decode(reply)),
};

const peek: BatchScript<StateKey, SlidingPeekArgs, WindowCounts> = {
  ...slidingPeek,
  decode: (reply) => countsOf(slidingPeek.decode(reply)),
};

export class SlidingWindow implements Algorithm<SlidingArgs, SlidingPeekArgs, WindowCounts> {
  readonly policy: LimiterPolicy;
  /** The window's length numbers the windows, so the counts of another length mean nothing. */
  readonly part: string;
  readonly maxItems = 128;
  readonly consume: typeof consume = consume;
  readonly peek: typeof peek = peek;
  readonly #peekArgs: SlidingPeekArgs;
  /** Of a cost of 1: one object, because arguments that merged calls share are sent once. */
  readonly #argsOfOne: SlidingArgs;

  constructor(policy: LimiterPolicy) {
    const { limit, windowMs } = policy;
    if (!Number.isSafeInteger(limit * windowMs * 2))
      throw new InvalidArgumentError("limit", "limit times window in milliseconds below 2^52", limit);
    this.policy = policy;
    this.part = `sliding:${windowMs}`;
    this.#peekArgs = { windowMs };
    this.#argsOfOne = { cost: 1, limit, windowMs };
  }

  consumeArgs(cost: number): SlidingArgs {
    const { limit, windowMs } = this.policy;
    return cost === 1 ? this.#argsOfOne : { cost, limit, windowMs };
  }

  peekArgs(): SlidingPeekArgs {
    return this.#peekArgs;
  }

  consumed(counts: WindowCounts, cost: number): LimiterDecision {
    if (counts.elapsed >= 0) return this.#decision(true, counts, cost);
    return this.#decision(false, { ...counts, elapsed: -1 - counts.elapsed }, cost);
  }

  peeked(counts: WindowCounts, cost: number): LimiterDecision {
    const { limit, windowMs } = this.policy;
    return this.#decision(this.#estimate(counts) + cost * windowMs <= limit * windowMs, counts, cost);
  }

  #decision(allowed: boolean, counts: WindowCounts, cost: number): LimiterDecision {
    const { limit, windowMs } = this.policy;
    const remaining = Math.max(0, Math.floor(limit - this.#estimate(counts) / windowMs));
    return decided(this.policy, allowed, remaining, allowed ? 0 : this.#waitMs(counts, cost), this.#resetMs(counts));
  }

  #estimate({ elapsed, current, previous }: WindowCounts): number {
    const { windowMs } = this.policy;
    return previous * (windowMs - elapsed) + current * windowMs;
  }

  /** Until the estimate has sunk so far that `cost` fits. */
  #waitMs(counts: WindowCounts, cost: number): number {
    const { limit, windowMs } = this.policy;
    const { elapsed, current, previous } = counts;
    const room = (limit - cost) * windowMs;
    // In this window the estimate sinks by `previous` each millisecond, in the next one by what is now `current`.
    if (current * windowMs <= room) return Math.ceil((this.#estimate(counts) - room) / previous);
    return windowMs - elapsed + Math.ceil((current * windowMs - room) / current);
  }

  #resetMs({ elapsed, current, previous }: WindowCounts): number {
    const left = this.policy.windowMs - elapsed;
    if (current > 0) return left + this.policy.windowMs;
    return previous > 0 ? left : 0;
  }
}

/** Three packed doubles. */
function countsOf(reply: Buffer): WindowCounts {
  if (reply.length !== 3 * DOUBLE) throw new UnexpectedReplyError("three packed numbers", reply);
  return {
    elapsed: reply.readDoubleLE(0),
    current: reply.readDoubleLE(DOUBLE),
    previous: reply.readDoubleLE(2 * DOUBLE),
  };
}
