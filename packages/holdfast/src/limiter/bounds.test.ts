/**
 * How many units pass within one window, against an oracle that remembers every call. The scripts run on a real server,
 * at moments which the test chooses.
 *
 * - `sliding` lets through more than its page says ........... "sliding: at most 2 · limit - 1 units in any window"
 * - the page promises less than what can happen .............. "sliding: ... and so many can pass"
 * - `exact` lets through one too many, or denies one that fits "exact decides like the log"
 * - its waits are too short or too long ...................... same
 * - its log grows without bound .............................. same
 */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { CHOSEN_BEGIN_MS, scriptAt } from "../../test/support/chosen-clock.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { exact, exactPeek } from "./scripts.gen.ts";
import { consume } from "./sliding.ts";

interface Call {
  readonly at: number;
  readonly cost: number;
}

/** Microseconds. */
class Log {
  readonly calls: Call[] = [];
  readonly #limit: number;
  readonly #window: number;

  constructor(limit: number, window: number) {
    this.#limit = limit;
    this.#window = window;
  }

  taken(now: number): number {
    return this.live(now).reduce((sum, { cost }) => sum + cost, 0);
  }

  live(now: number): Call[] {
    return this.calls.filter(({ at }) => at > now - this.#window);
  }

  fits(cost: number, now: number): boolean {
    return this.taken(now) + cost <= this.#limit;
  }
}

/** The most units in any stretch of `window`, its end not included. */
function mostWithin(window: number, calls: readonly Call[]): number {
  const sums = calls.map(({ at: from }) =>
    calls.filter(({ at }) => at >= from && at < from + window).reduce((sum, { cost }) => sum + cost, 0),
  );
  return Math.max(0, ...sums);
}

const limits = fc.record({ limit: fc.integer({ min: 1, max: 20 }), windowMs: fc.integer({ min: 1, max: 1_000 }) });
const paces = fc.array(
  fc.record({
    cost: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 20 }) }),
    pause: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 0.2, noNaN: true }),
      fc.double({ min: 0, max: 2, noNaN: true }),
    ),
  }),
  { minLength: 1, maxLength: 80 },
);

describe.each(backends("standalone", "embedded"))("units within one window [$name]", ({ url, options }) => {
  let hf: Holdfast;

  beforeAll(async () => {
    hf = await connect(url, { ...options, timeout: "60s" });
  });
  afterAll(() => hf?.close());

  const freshKey = (): string => hf.key(`test-${randomUUID()}`, "state");

  it("sliding: at most 2 · limit - 1 units in any window", { timeout: 180_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(limits, paces, async ({ limit, windowMs }, steps) => {
        const state = freshKey();
        const allowed: Call[] = [];
        let ms = CHOSEN_BEGIN_MS;
        for (const { cost, pause } of steps) {
          ms += Math.floor(pause * windowMs);
          const args = { cost: Math.min(cost, limit), limit, windowMs };
          const { elapsed } = await scriptAt(hf.driver, ms * 1_000, consume, { state }, args);
          if (elapsed >= 0) allowed.push({ at: ms, cost: args.cost });
        }
        expect(mostWithin(windowMs, allowed)).toBeLessThanOrEqual(2 * limit - 1);
      }),
      { numRuns: 30 },
    );
  });

  it("sliding: a burst at the end of a window, then all that comes free: and so many can pass", async () => {
    const [limit, windowMs] = [20, 100];
    const state = freshKey();
    const allowed: Call[] = [];
    const begin = CHOSEN_BEGIN_MS - (CHOSEN_BEGIN_MS % windowMs);
    const times = Array.from({ length: windowMs - 1 }, (_, at) => begin + windowMs + at);
    for (const ms of [...Array.from({ length: limit }, () => begin + windowMs - 1), ...times]) {
      const args = { cost: 1, limit, windowMs };
      const { elapsed } = await scriptAt(hf.driver, ms * 1_000, consume, { state }, args);
      if (elapsed >= 0) allowed.push({ at: ms, cost: 1 });
    }
    expect(mostWithin(windowMs, allowed)).toBe(2 * limit - 1);
  });

  it("exact decides like the log, waits included, and stores no more than it", { timeout: 180_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(limits, paces, async ({ limit, windowMs }, steps) => {
        const state = freshKey();
        const windowMicros = windowMs * 1_000;
        const log = new Log(limit, windowMicros);
        let now = CHOSEN_BEGIN_MS * 1_000;
        for (const step of steps) {
          now += Math.floor(step.pause * windowMicros);
          const cost = Math.min(step.cost, limit);
          const args = { cost, limit, windowMicros };
          const fits = log.fits(cost, now);
          const foreseen = await scriptAt(hf.driver, now, exactPeek, { state }, args);
          const [allowed, taken, wait, reset] = await scriptAt(hf.driver, now, exact, { state }, args);
          expect([foreseen[0], foreseen[1]! + (fits ? cost : 0), foreseen[2]]).toEqual([allowed, taken, wait]);
          expect(allowed).toBe(fits ? 1 : 0);
          if (fits) log.calls.push({ at: now, cost });
          expect(taken).toBe(log.taken(now));
          expect(fits || (!log.fits(cost, now + wait! - 1) && log.fits(cost, now + wait!))).toBe(true);
          expect([log.taken(now + reset! - 1) > 0, log.taken(now + reset!)]).toEqual([true, 0]);
          const stored = Number(await hf.driver.send(["ZCARD", state], { op: "test", class: "read" }, state));
          expect(!fits || stored === log.live(now).length).toBe(true);
        }
        expect(mostWithin(windowMicros, log.calls)).toBeLessThanOrEqual(limit);
      }),
      { numRuns: 30 },
    );
  });

  it("exact: a server's clock that was set back forgets nothing", async () => {
    const state = freshKey();
    const now = CHOSEN_BEGIN_MS * 1_000;
    const args = { cost: 1, limit: 2, windowMicros: 1_000 };
    const at = (micros: number): Promise<number[]> => scriptAt(hf.driver, micros, exact, { state }, args);
    expect(await at(now)).toEqual([1, 1, 0, 1_000]);
    expect(await at(now - 3_600_000_000)).toEqual([1, 2, 0, 1_000]);
    expect(await at(now - 3_600_000_000)).toEqual([0, 2, 1_000, 1_000]);
    expect(await at(now + 999)).toEqual([0, 2, 1, 1]);
    expect(await at(now + 1_000)).toEqual([1, 1, 0, 1_000]);
  });
});
