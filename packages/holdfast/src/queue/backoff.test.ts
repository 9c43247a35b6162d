// What could go wrong with a back-off of one's own, and the test for each:
// - it is not asked, or not told of the failure ............. "asks a function for the time until the next run"
// - it throws, or returns what is no time, and the job is
//   never run again ......................................... "goes on where it throws or returns no duration"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { RetryAfter } from "./failure.ts";
import type { QueueBackoffFunction } from "./backoff.ts";

describe.each(backends("standalone", "embedded"))("back-off of one's own [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const delayOf = async (backoff: QueueBackoffFunction, error: unknown) => {
    const queue = hf.queue<number>(randomUUID(), { backoff });
    const { id } = await queue.add(1);
    const [job] = await queue.claim();
    await job!.fail(error);
    const { addedAt, dueAt } = (await queue.get(id))!;
    return Math.floor((dueAt! - addedAt) / 60_000);
  };

  it("asks a function for the time until the next run", async () => {
    const asked: unknown[] = [];
    const error = new Error("too many");
    const minutes = await delayOf((failures, thrown) => {
      asked.push(failures, thrown);
      return "5m";
    }, error);
    expect([minutes, asked]).toEqual([5, [1, error]]);
    expect(await delayOf(() => "5m", new RetryAfter("2h"))).toBe(120);
  });

  it.each([
    () => {
      throw new Error("broken");
    },
    () => "soon" as never,
    () => -1,
  ])("goes on where it throws or returns no duration (%#)", async (backoff) => {
    expect(await delayOf(backoff, new Error("no"))).toBe(0);
  });
});
