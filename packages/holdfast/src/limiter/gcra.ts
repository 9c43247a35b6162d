/**
 * GCRA, the generic cell rate algorithm (ITU-T I.371, annex A): a token bucket whose whole state is one number.
 *
 * One unit takes `interval` microseconds to come back; a bucket holds `burst` of them. Instead of tokens the server keeps
 * the moment at which the bucket is full again. All numbers are whole microseconds, so no rounding error adds up;
 * the interval is rounded up, so the rate is never above the one asked for.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import type { None } from "../core/script/script.ts";
import type { Algorithm } from "./algorithm.ts";
import { decided, type LimiterDecision, type LimiterPolicy } from "./decision.ts";
import { gcra, type GcraArgs, gcraPeek } from "./scripts.gen.ts";

const MICROS_PER_MS = 1_000;
/** About 31 years: added to the server's clock it stays far below 2^53. */
const MAX_DEPTH_MICROS = 1e15;
const NO_ARGS: None = {};
const MAX_RATE_ERROR = 0.01;

export class Gcra implements Algorithm<GcraArgs, None, number> {
  readonly policy: LimiterPolicy;
  readonly part = "gcra";
  readonly maxItems = 256;
  readonly consume: typeof gcra = gcra;
  readonly peek: typeof gcraPeek = gcraPeek;
  readonly #intervalMicros: number;
  readonly #depthMicros: number;
  /** Of a cost of 1: one object, because arguments that merged calls share are sent once. */
  readonly #argsOfOne: GcraArgs;

  constructor(policy: LimiterPolicy) {
    this.policy = policy;
    this.#intervalMicros = intervalOf(policy);
    this.#depthMicros = policy.burst * this.#intervalMicros;
    if (this.#depthMicros > MAX_DEPTH_MICROS)
      throw new InvalidArgumentError("burst", "a bucket that refills within 31 years", policy.burst);
    this.#argsOfOne = this.#argsOf(1);
  }

  consumeArgs(cost: number): GcraArgs {
    return cost === 1 ? this.#argsOfOne : this.#argsOf(cost);
  }

  #argsOf(cost: number): GcraArgs {
    return { costMicros: cost * this.#intervalMicros, depthMicros: this.#depthMicros };
  }

  peekArgs(): None {
    return NO_ARGS;
  }

  consumed(reply: number, cost: number): LimiterDecision {
    return reply < 0 ? this.#decision(false, -reply, cost) : this.#decision(true, reply, cost);
  }

  peeked(reply: number, cost: number): LimiterDecision {
    return this.#decision(reply + cost * this.#intervalMicros <= this.#depthMicros, reply, cost);
  }

  /** @param backlog microseconds until the bucket is full */
  #decision(allowed: boolean, backlog: number, cost: number): LimiterDecision {
    const depth = this.#depthMicros;
    // Deeper than the bucket if it was made smaller, or if the server's clock was set back.
    const remaining = backlog < depth ? Math.floor((depth - backlog) / this.#intervalMicros) : 0;
    const wait = allowed ? 0 : toMs(backlog + cost * this.#intervalMicros - depth);
    return decided(this.policy, allowed, remaining, wait, toMs(backlog));
  }
}

function intervalOf({ limit, windowMs }: LimiterPolicy): number {
  const exact = (windowMs * MICROS_PER_MS) / limit;
  const interval = Math.ceil(exact);
  if (interval - exact <= interval * MAX_RATE_ERROR) return interval;
  const expected = 'at most 10,000 units a second, or a number that divides its microseconds; or algorithm "sliding"';
  throw new InvalidArgumentError("limit", expected, limit);
}

/** Rounded up: after that wait the call is not too early. */
function toMs(micros: number): number {
  return Math.ceil(micros / MICROS_PER_MS);
}
