/**
 * What could go wrong, and the test for each:
 * - more begin in a span than may ............................... "in any span of time"
 * - it never begins again ....................................... "goes on", for both kinds
 * - it takes from others what it may not begin with itself ...... "leaves to others"
 * - messages of one call are counted as one ..................... "of one call"
 * - a subscription that waits for its rate does not end ......... all of them: they end at once
 * - bad input .................................................. "refused at the door"
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { type Runtime, systemRuntime } from "../base/runtime.ts";
import { Pace, type TopicRate } from "./pace.ts";
import type { TopicSharedOptions } from "./shared/options.ts";

const KINDS = ["ordered", "shared"] as const;
const NUMBERS = [0, 1, 2, 3, 4, 5, 6];
const MESSAGES = NUMBERS.map((message) => ({ message }));

/** Of either kind: what these tests give both of them take. */
const of = (kind: (typeof KINDS)[number], rate: TopicRate): TopicSharedOptions =>
  ({ kind, start: "start", rate }) as TopicSharedOptions;

describe("a pace", () => {
  it("lets no more begin in any span of time than it says, and as many as it may", () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(150), wanted: fc.nat(5) }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), steps, (limit, all) => {
        let now = 0;
        const runtime: Runtime = { ...systemRuntime, now: () => now, setTimeout: () => ({ unref: () => undefined }) };
        const pace = new Pace(runtime, { limit, perMs: 100 }, () => undefined);
        const begun: number[] = [];
        for (const { waitMs, wanted } of all) {
          now += waitMs;
          const within = begun.filter((at) => at > now - 100).length;
          expect(pace.free).toBe(limit - within);
          const count = Math.min(wanted, pace.free);
          pace.begin(count);
          for (let at = 0; at < count; at += 1) begun.push(now);
          expect(pace.waitMs).toBe(pace.free > 0 ? 0 : begun.at(-limit)! + 100 - now);
        }
      }),
    );
  });
});

describe.each(backends("standalone", "embedded"))("the rate of a subscription [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it.each(KINDS)("waits, and goes on: %s", async (kind) => {
    const topic = handles.a.topic<number>(randomName());
    await topic.publishMany(MESSAGES);
    const handled = new Set<number>();
    const handler = ({ payload }: { payload: number }): void => void handled.add(payload);
    await using _ = topic.subscribe("s", handler, of(kind, { limit: 2, per: 20 }));
    await until("all are handled", () => handled.size === NUMBERS.length);
    expect([...handled].toSorted((a, b) => a - b)).toEqual(NUMBERS);
  });

  it("leaves to others what it may not begin with soon: shared", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name);
    const handled: string[] = [];
    const options = { kind: "shared", start: "start", visibility: "1h" } as const;
    await topic.publishMany(MESSAGES);
    await using slow = topic.subscribe("s", () => handled.push("slow"), { ...options, rate: { limit: 3, per: "1h" } });
    await until("as many as may", async () => slow.stats().handled === 3 && (await slow.lag()).messages === 4);
    await using _ = handles.b.topic<number>(name).subscribe("s", () => handled.push("other"), options);
    await until("the rest", () => handled.length === NUMBERS.length);
    expect(handled.filter((by) => by === "slow")).toHaveLength(3);
  });

  it.each(KINDS)("messages of one call count each: %s", async (kind) => {
    const topic = handles.a.topic<number>(randomName());
    await topic.publishMany(MESSAGES);
    const calls: number[][] = [];
    const handler = (messages: readonly { payload: number }[]): void =>
      void calls.push(messages.map(({ payload }) => payload));
    await using all = topic.subscribeMany("s", handler, { ...of(kind, { limit: 3, per: "1h" }), size: 5 });
    await until("as many as may", () => all.stats().handled === 3);
    expect(calls.flat().toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  });

  it.each(KINDS)("a rate that is none is refused at the door: %s", (kind) => {
    const topic = handles.a.topic<number>(randomName());
    for (const rate of [{ limit: 0, per: "1s" }, { limit: 1.5, per: "1s" }, { limit: 1, per: "soon" }, { limit: 1 }, 5])
      expect(() => topic.subscribe("s", () => undefined, of(kind, rate as TopicRate))).toThrow(/rate/);
  });
});
