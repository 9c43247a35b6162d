/** Histories of two processes over few counters and two windows, against exact counts. fast-check prints the seed of a history that differs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";

const HOUR = 3_600_000;
const COUNTERS = 5;

const additions = fc.array(
  fc.record({ member: fc.nat(12), by: fc.integer({ min: 1, max: 9 }), hour: fc.nat(1), byOther: fc.boolean() }),
  { minLength: 1, maxLength: 50 },
);

describe.each(backends("standalone", "cluster", "embedded"))("topk against a model [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it.each([1, 6])(
    "counts are never too low, nor too high by more than they say, %i additions in a tick",
    async (perTick) => {
      await fc.assert(
        fc.asyncProperty(additions, fc.constantFrom(1, 2), async (all, last) => {
          const name = randomName();
          const options = { k: 2, counters: COUNTERS, window: "1h" } as const;
          const [mine, other] = [handles.a.topk(name, options), handles.b.topk(name, options)];
          const to = Date.now();
          for (let at = 0; at < all.length; at += perTick)
            await Promise.all(
              all
                .slice(at, at + perTick)
                .map(({ member, by, hour, byOther }) =>
                  (byOther ? other : mine).add(member, by, { at: to - hour * HOUR }),
                ),
            );
          const counted = all.filter(({ hour }) => hour < last);
          const truth = (member: string): number =>
            counted.reduce((sum, each) => sum + (String(each.member) === member ? each.by : 0), 0);
          const total = counted.reduce((sum, { by }) => sum + by, 0);
          const list = await other.list({ last, to, limit: COUNTERS });
          const counts = await mine.counts(
            Array.from({ length: 13 }, (_, member) => member),
            { last, to },
          );
          const entries = [...list, ...[...counts].map(([member, each]) => ({ member: String(member), ...each }))];
          const wrong = entries.filter(
            ({ member, count, error }) => truth(member) > count || truth(member) < count - error,
          );
          expect(wrong).toEqual([]);
          const error = list[0]?.error ?? 0;
          expect(error).toBeLessThanOrEqual((total / COUNTERS) * last);
          const listed = new Set(list.map(({ member }) => member));
          const lowest = list.length < COUNTERS ? error : list.at(-1)!.count;
          const missing = [...counts.keys()].filter(
            (member) => truth(String(member)) > lowest && !listed.has(String(member)),
          );
          expect(missing).toEqual([]);
        }),
        { numRuns: 15 },
      );
    },
  );
});
