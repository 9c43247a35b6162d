/** Histories of additions by two processes, some in the same tick, against sets. fast-check prints the seed of a history that differs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";

const HOUR = 3_600_000;

const additions = fc.array(
  fc.record({
    id: fc.constantFrom("a", "b"),
    hour: fc.nat(3),
    first: fc.nat(60),
    count: fc.integer({ min: 0, max: 25 }),
    byOther: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

describe.each(backends("standalone", "cluster", "embedded"))("uniques against a model [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it.each([1, 5])("counts are those of sets, %i additions in a tick", async (perTick) => {
    await fc.assert(
      fc.asyncProperty(additions, fc.integer({ min: 1, max: 4 }), async (all, last) => {
        const name = randomName();
        const options = { window: "1h", keep: 48 } as const;
        const [mine, other] = [handles.a.uniques(name, options), handles.b.uniques(name, options)];
        const now = Date.now();
        const sets = new Map<string, Set<string>>();
        for (let at = 0; at < all.length; at += perTick) {
          await Promise.all(
            all.slice(at, at + perTick).map(({ id, hour, first, count, byOther }) => {
              const members = Array.from({ length: count }, (_, each) => `m${first + each}`);
              const set = sets.get(`${id}${hour}`) ?? new Set();
              sets.set(`${id}${hour}`, set);
              for (const member of members) set.add(member);
              return (byOther ? other : mine).add(id, members, { at: now - hour * HOUR });
            }),
          );
        }
        const expected = (...ids: string[]): number => {
          const windows = Array.from({ length: last }, (_, hour) => hour);
          const found = ids.flatMap((id) => windows.flatMap((hour) => [...(sets.get(`${id}${hour}`) ?? [])]));
          return new Set(found).size;
        };
        for (const ids of [["a"], ["b"], ["a", "b"]])
          expect(await other.count(ids, { last, to: now })).toEqual({
            count: expected(...ids),
            exact: true,
            standardError: 0,
          });
      }),
      { numRuns: 15 },
    );
  });
});
