/**
 * Decisions against references that are written from the definition of each algorithm and know nothing of how the
 * scripts store their state. The scripts run on a real server, at moments which the test chooses.
 *
 * - a decision is not that of the algorithm, at a given moment ..... "... decides like the reference"
 * - a key expires while it still counts ............................ same: each history forgets what expired
 * - a clock that jumps frees what was taken ........................ "a server's clock that was set back ..."
 * - retryAfterMs is too short, or longer than needed ............... "... says exactly when ..."
 */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { CHOSEN_BEGIN_MS, scriptAt } from "../../test/support/chosen-clock.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Script } from "../core/script/script.ts";
import { gcra, type GcraArgs, type SlidingArgs } from "./scripts.gen.ts";
import { Gcra } from "./gcra.ts";
import { consume, SlidingWindow, type WindowCounts } from "./sliding.ts";

const RUNS = { numRuns: 40 };

interface Step {
  readonly cost: number;
  /** Since the step before. */
  readonly micros: number;
}

/** Costs from 1 to `limit`; pauses from none to a few `periodMicros`, the shorter the likelier. */
function histories(limit: number, periodMicros: number): fc.Arbitrary<Step[]> {
  const micros = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.nat(Math.floor(periodMicros / limit)) },
    { weight: 1, arbitrary: fc.nat(periodMicros * 3) },
  );
  return fc.array(fc.record({ cost: fc.integer({ min: 1, max: limit }), micros }), { minLength: 1, maxLength: 40 });
}

describe.each(backends("standalone", "embedded"))("limits, decision by decision [$name]", ({ url, options }) => {
  let hf: Holdfast;

  beforeAll(async () => {
    hf = await connect(url, options);
  });

  afterAll(() => hf?.close());

  const freshKey = (): string => hf.key(`test-${randomUUID()}`, "state");

  async function send(...args: string[]): Promise<unknown> {
    return hf.driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  }

  const at = <Args, Result>(
    micros: number,
    script: Script<{ state: string }, Args, Result>,
    state: string,
    args: Args,
  ): Promise<Result> => scriptAt(hf.driver, micros, script, { state }, args);
  const takeFromBucket = (micros: number, state: string, args: GcraArgs): Promise<number> =>
    at(micros, gcra, state, args);
  const countInWindow = async (micros: number, state: string, args: SlidingArgs): Promise<number[]> => {
    const { elapsed, current, previous } = await at(micros, consume, state, args);
    return [elapsed, current, previous];
  };

  it("gcra decides like the reference", async () => {
    const cases = fc
      .record({ burst: fc.integer({ min: 1, max: 20 }), interval: fc.integer({ min: 1, max: 10_000_000 }) })
      .chain(({ burst, interval }) =>
        fc.record({
          burst: fc.constant(burst),
          interval: fc.constant(interval),
          steps: histories(burst, burst * interval),
        }),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ({ burst, interval, steps }) => {
        const state = freshKey();
        const reference = new TokenBucket(burst, interval);
        let now = CHOSEN_BEGIN_MS * 1_000;
        for (const { cost, micros } of steps) {
          now += micros;
          const args = { costMicros: cost * interval, depthMicros: burst * interval };
          const reply = await takeFromBucket(now, state, args);
          expect(reply >= 0).toBe(reference.take(cost, now));
          expect(Math.abs(reply)).toBe(reference.missingMicros(now));
        }
        await send("DEL", state);
      }),
      RUNS,
    );
  });

  it("sliding decides like the reference", async () => {
    const cases = fc
      .record({ limit: fc.integer({ min: 1, max: 20 }), windowMs: fc.integer({ min: 1, max: 100_000 }) })
      .chain(({ limit, windowMs }) =>
        fc.record({
          limit: fc.constant(limit),
          windowMs: fc.constant(windowMs),
          steps: histories(limit, windowMs * 1_000),
        }),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ({ limit, windowMs, steps }) => {
        const state = freshKey();
        const reference = new WindowLog(limit, windowMs);
        let now = CHOSEN_BEGIN_MS * 1_000;
        for (const { cost, micros } of steps) {
          now += micros;
          const ms = Math.floor(now / 1_000);
          const [elapsed, ...counts] = await countInWindow(now, state, { cost, limit, windowMs });
          const allowed = reference.take(cost, ms);
          expect(elapsed).toBe(allowed ? ms % windowMs : -1 - (ms % windowMs));
          expect(counts).toEqual(reference.counts(ms));
        }
        await send("DEL", state);
      }),
      RUNS,
    );
  });

  it("a server's clock that was set back forgets nothing", async () => {
    const now = CHOSEN_BEGIN_MS * 1_000;
    const earlier = now - 3_600_000_000;
    const [bucket, counts] = [freshKey(), freshKey()];
    const one = { costMicros: 1_000, depthMicros: 2_000 };
    expect(await takeFromBucket(now, bucket, one)).toBe(1_000);
    expect(await takeFromBucket(earlier, bucket, one)).toBe(-3_600_001_000);
    expect(await takeFromBucket(now, bucket, one)).toBe(2_000);

    const two = { cost: 1, limit: 2, windowMs: 1_000 };
    const elapsed = CHOSEN_BEGIN_MS % 1_000;
    expect(await countInWindow(now, counts, two)).toEqual([elapsed, 1, 0]);
    expect(await countInWindow(earlier, counts, two)).toEqual([0, 2, 0]);
    expect(await countInWindow(earlier, counts, two)).toEqual([-1, 2, 0]);
    expect(await countInWindow(now, counts, two)).toEqual([-1 - elapsed, 2, 0]);
  });
});

describe("waits", () => {
  const limits = fc.record({
    limit: fc.integer({ min: 1, max: 50 }),
    windowMs: fc.integer({ min: 1, max: 100_000 }),
    cost: fc.integer({ min: 1, max: 50 }),
    current: fc.nat(60),
    previous: fc.nat(60),
    at: fc.nat(),
  });

  it("sliding says exactly when a denied call fits", () => {
    fc.assert(
      fc.property(limits, ({ limit, windowMs, cost, current, previous, at }) => {
        fc.pre(cost <= limit);
        const window = new SlidingWindow({ name: "w", limit, windowMs, burst: limit });
        const elapsed = at % windowMs;
        const { allowed, retryAfterMs } = window.peeked({ elapsed, current, previous }, cost);
        const after = (ms: number): boolean =>
          window.peeked(later(ms, windowMs, elapsed, current, previous), cost).allowed;
        expect(allowed ? retryAfterMs === 0 : after(retryAfterMs) && !after(retryAfterMs - 1)).toBe(true);
      }),
    );
  });

  it("sliding says exactly when nothing counts any more, and how much fits at once", () => {
    fc.assert(
      fc.property(limits, ({ limit, windowMs, current, previous, at }) => {
        const window = new SlidingWindow({ name: "w", limit, windowMs, burst: limit });
        const elapsed = at % windowMs;
        const { resetMs, remaining } = window.peeked({ elapsed, current, previous }, 1);
        expect(later(resetMs, windowMs, elapsed, current, previous)).toMatchObject({ current: 0, previous: 0 });
        const fits = (cost: number): boolean => window.peeked({ elapsed, current, previous }, cost).allowed;
        expect(remaining === 0 || fits(remaining)).toBe(true);
        expect(remaining === limit || !fits(remaining + 1)).toBe(true);
      }),
    );
  });

  it("gcra says exactly when a denied call fits, and how much fits at once", () => {
    const cases = fc.record({
      burst: fc.integer({ min: 1, max: 50 }),
      limit: fc.integer({ min: 1, max: 50 }),
      windowMs: fc.integer({ min: 100, max: 100_000 }),
      cost: fc.integer({ min: 1, max: 50 }),
      backlogMicros: fc.nat(10_000_000),
    });
    fc.assert(
      fc.property(cases, ({ burst, limit, windowMs, cost, backlogMicros }) => {
        fc.pre(cost <= burst);
        const bucket = new Gcra({ name: "b", limit, windowMs, burst });
        const { allowed, retryAfterMs, resetMs, remaining } = bucket.peeked(backlogMicros, cost);
        const after = (ms: number): boolean => bucket.peeked(Math.max(0, backlogMicros - ms * 1_000), cost).allowed;
        expect(allowed ? retryAfterMs === 0 : after(retryAfterMs) && !after(retryAfterMs - 1)).toBe(true);
        expect(Math.ceil(backlogMicros / 1_000)).toBe(resetMs);
        const fits = (units: number): boolean => bucket.peeked(backlogMicros, units).allowed;
        expect(remaining === 0 || fits(remaining)).toBe(true);
        expect(remaining === burst || !fits(remaining + 1)).toBe(true);
      }),
    );
  });
});

/** A token bucket as in the books, in microseconds' worth of tokens instead of an arrival time. */
class TokenBucket {
  readonly #capacity: number;
  readonly #interval: number;
  #level: number;
  #at = 0;

  constructor(burst: number, interval: number) {
    this.#capacity = burst * interval;
    this.#interval = interval;
    this.#level = this.#capacity;
  }

  take(cost: number, at: number): boolean {
    this.#refill(at);
    if (cost * this.#interval > this.#level) return false;
    this.#level -= cost * this.#interval;
    return true;
  }

  missingMicros(at: number): number {
    this.#refill(at);
    return this.#capacity - this.#level;
  }

  #refill(at: number): void {
    this.#level = Math.min(this.#capacity, this.#level + at - this.#at);
    this.#at = at;
  }
}

/** Remembers every call that was let through, and counts them again each time. */
class WindowLog {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #taken: { readonly at: number; readonly cost: number }[] = [];

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  take(cost: number, at: number): boolean {
    const [current, previous] = this.counts(at);
    const elapsed = at % this.#windowMs;
    const used = (previous * (this.#windowMs - elapsed)) / this.#windowMs + current;
    // A share of a window that is not a binary fraction may be off by a rounding error.
    if (used + cost > this.#limit + 1e-9) return false;
    this.#taken.push({ at, cost });
    return true;
  }

  counts(at: number): [current: number, previous: number] {
    const window = Math.floor(at / this.#windowMs);
    return [this.#sumOf(window), this.#sumOf(window - 1)];
  }

  #sumOf(window: number): number {
    const inside = this.#taken.filter(({ at }) => Math.floor(at / this.#windowMs) === window);
    return inside.reduce((sum, { cost }) => sum + cost, 0);
  }
}

/** The counts of the same state `ms` later. */
function later(ms: number, windowMs: number, elapsed: number, current: number, previous: number): WindowCounts {
  const passed = Math.floor((elapsed + ms) / windowMs);
  const [now, before] = passed === 0 ? [current, previous] : passed === 1 ? [0, current] : [0, 0];
  return { elapsed: (elapsed + ms) % windowMs, current: now, previous: before };
}
