/** Histories of two processes, several calls in a tick, against a set, in a filter that is practically never wrong. fast-check prints the seed of a history that differs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";

const steps = fc.array(
  fc.record({
    verb: fc.constantFrom("add", "add", "has", "clear"),
    member: fc.nat(50),
    byOther: fc.boolean(),
  }),
  { minLength: 1, maxLength: 60 },
);

describe.each(backends("standalone", "cluster", "embedded"))("bloom against a model [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it("adds, finds and refuses as a set with room for so many", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(undefined, "10d" as const), async (all, ttl) => {
        const name = randomName();
        const options = { capacity: 10, errorRate: 1e-6, ...(ttl !== undefined && { ttl }) };
        const [mine, other] = [handles.a.bloom(name, options), handles.b.bloom(name, options)];
        const room = 26;
        const set = new Set<number>();
        const pending: Promise<unknown>[] = [];
        const expected: unknown[] = [];
        let isMine = true;
        for (const { verb, member, byOther } of all) {
          // Calls of one process keep their order; those of two do not.
          if (isMine === byOther) await Promise.all(pending);
          isMine = !byOther;
          const bloom = byOther ? other : mine;
          if (verb === "has") {
            expected.push(set.has(member));
            pending.push(bloom.has(member));
          } else if (verb === "add") {
            const status = set.has(member) ? "duplicate" : set.size < room ? "ok" : "limit";
            if (status === "ok") set.add(member);
            expected.push({ status });
            pending.push(bloom.add(member));
          } else if (set.size > 20) {
            await Promise.all(pending);
            await bloom.clear();
            set.clear();
          }
        }
        expect(await Promise.all(pending)).toEqual(expected);
        expect((await mine.info()).count).toBe(set.size);
      }),
      { numRuns: 10 },
    );
  });
});
