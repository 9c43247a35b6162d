// What could go wrong, and the test for each:
// - one begins before the others are ready ............ "all begin when the last is ready"
// - one that was started again counts for two .......... the same
// - one that never gets ready holds up the others for ever ... "nobody begins"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast, TimeoutError } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { startTogether } from "./start-together.ts";

describe.each(backends("standalone", "embedded"))("cookbook: start together [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles.push(...(await Promise.all([1, 2, 3].map(() => connect(url, { ...options, prefix })))));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("all begin when the last is ready, also where one was started again", async () => {
    const test = { id: "one", generators: ["a", "b", "c"] };
    const ready: string[] = [];
    const run = async (at: number): Promise<number> => {
      const me = test.generators[at]!;
      await startTogether(handles[at]!, test, me, async () => void ready.push(me));
      return new Set(ready).size;
    };
    const early = [run(0), run(0), run(1)];
    expect(await Promise.all([...early, run(2)])).toEqual([3, 3, 3, 3]);
  });

  it("nobody begins where one does not get ready", async () => {
    const test = { id: "two", generators: ["a", "b", "c"] };
    const prepare = async (): Promise<void> => undefined;
    const starts = [0, 1].map((at) => startTogether(handles[at]!, test, test.generators[at]!, prepare, "1s"));
    await Promise.all(starts.map((start) => expect(start).rejects.toBeInstanceOf(TimeoutError)));
  });
});
