/** Histories of marks by two processes, some in the same tick, against sets. fast-check prints the seed of a history that differs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";

const DAY = 86_400_000;
const DAYS = 5;

const marks = fc.array(fc.record({ user: fc.nat(40), day: fc.nat(DAYS - 1), byOther: fc.boolean() }), {
  minLength: 1,
  maxLength: 80,
});

describe.each(backends("standalone", "cluster", "embedded"))("actives against a model [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it("counts, unions, intersections and cohorts are those of sets", async () => {
    await fc.assert(
      fc.asyncProperty(marks, fc.integer({ min: 1, max: 3 }), fc.nat(DAYS - 1), async (all, partitions, first) => {
        const name = randomName();
        const [mine, other] = [handles.a.actives(name, { partitions }), handles.b.actives(name, { partitions })];
        const now = Date.now();
        const sets = Array.from({ length: DAYS }, () => new Set<number>());
        await Promise.all(
          all.map(({ user, day, byOther }) => {
            sets[day]!.add(user);
            return (byOther ? other : mine).mark(user, { at: now - (DAYS - 1 - day) * DAY });
          }),
        );
        const at = (day: number): number => now - (DAYS - 1 - day) * DAY;
        const later = sets.slice(first);
        expect((await other.history({ last: DAYS, to: now })).map(({ count }) => count)).toEqual(
          sets.map(({ size }) => size),
        );
        expect(await other.count({ last: DAYS - first, to: now })).toBe(new Set(later.flatMap((set) => [...set])).size);
        expect(await mine.intersection(later.map((_, day) => at(first + day)))).toBe(
          [...later[0]!].filter((user) => later.every((set) => set.has(user))).length,
        );
        for (const of of ["active", "new"] as const) {
          const expected = later.map((set, cohort) => {
            const before = of === "new" ? sets.slice(0, first + cohort) : [];
            const users = [...set].filter((user) => before.every((each) => !each.has(user)));
            return later.slice(cohort).map((each) => users.filter((user) => each.has(user)).length);
          });
          const cohorts = await other.retention({ from: at(first), windows: DAYS, of });
          expect(cohorts.map(({ active }) => active)).toEqual(expected);
        }
      }),
      { numRuns: 12 },
    );
  });
});
