// What could go wrong, and the test for each:
// - jobs are missing, or in another order than they were added ...... "returns jobs of all states in the order in which they were added"
// - a test passes although other jobs were added .................... "says what differs"
// - what is not expected is compared ................................ "compares what is given"
import { AssertionError } from "node:assert";
import { expect, it } from "vitest";
import { Discard } from "../queue/failure.ts";
import { assertAdded, jobsOf } from "./jobs.ts";
import { createTestServer } from "./test-server.ts";

it.each(["virtual", "real"] as const)(
  "returns jobs of all states in the order in which they were added (%s clock)",
  async (clock) => {
    await using server = await createTestServer({ clock });
    const queue = (await server.connect()).queue<number>("all", { keep: { completed: 10 }, attempts: 1 });
    await queue.add(1);
    await queue.add(2, { delay: "1h", tags: ["a"] });
    await queue.add(3, { priority: "low", group: "g" });
    await queue.addMany(
      Array.from({ length: 40 }, (_, at) => 4 + at),
      { name: "many" },
    );
    await queue.add(44, { priority: "high", unique: "k", attempts: 7 });
    const jobs = await jobsOf(queue);
    expect(jobs.map(({ payload }) => payload)).toEqual(Array.from({ length: 44 }, (_, at) => 1 + at));
    expect(jobs[1]).toMatchObject({ state: "delayed", tags: ["a"] });
    expect(jobs.at(-1)).toMatchObject({ state: "waiting", unique: "k", attempts: 7, name: undefined });
    const [high, one, two] = await queue.claim({ count: 3 });
    await high!.complete();
    await one!.fail(new Discard("no"));
    const states = (await jobsOf(queue)).map(({ state }) => state);
    expect(states).toHaveLength(44);
    expect(new Set(states)).toEqual(new Set(["completed", "dead", "active", "delayed", "waiting"]));
    await two!.release();
  },
);

it("compares what is given, in order, and says what differs", async () => {
  await using server = await createTestServer({ clock: "virtual" });
  const emails = (await server.connect()).queue<{ to: string }>("emails");
  await assertAdded(emails, []);
  await emails.add({ to: "ada" }, { name: "welcome", id: "welcome:ada" });
  await server.clock.advance("1s");
  await emails.add({ to: "ada" }, { name: "reminder", delay: "7d" });
  await assertAdded(emails, [
    { payload: { to: "ada" }, name: "welcome", id: "welcome:ada", state: "waiting" },
    { delay: "7d" },
  ]);
  await assertAdded(emails, [{}, { name: "reminder", group: undefined, priority: "normal", tags: [] }]);
  const wrong = [
    [{}],
    [{}, {}, {}],
    [{ name: "reminder" }, { name: "welcome" }],
    [{}, { delay: "6d" }],
    [{ payload: { to: "bob" } }, {}],
  ] as const;
  for (const expected of wrong)
    await expect(assertAdded(emails, expected)).rejects.toThrow('queue "emails" has other jobs than expected');
  await expect(assertAdded(emails, [{ payload: { to: "bob" } }, {}])).rejects.toThrow(AssertionError);
  await expect(assertAdded(emails, [{ paylaod: 1 } as never])).rejects.toThrow('did you mean "payload"');
  await expect(assertAdded(emails, "all" as never)).rejects.toThrow("expected:");
});
