// What could go wrong, and the test for each:
// - two processes do it, or none ....................... "one of ten does it, and the others know what it reported"
// - the one that does it dies, or fails ................. "the next does it where one fails"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { nights, onceTonight } from "./once-a-night.ts";

describe.each(backends("standalone", "embedded"))("cookbook: once a night [$name]", ({ url, options }) => {
  const processes: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    const connecting = Array.from({ length: 10 }, () => connect(url, { ...options, prefix, timeout: "30s" }));
    processes.push(...(await Promise.all(connecting)));
  });
  afterAll(() => Promise.all(processes.map((hf) => hf.close())));

  it("one of ten does it, and the others know what it reported; the next night it is done again", async () => {
    let cleaned = 0;
    const night = (date: string) =>
      Promise.all(
        processes.map((hf) =>
          onceTonight(nights(hf), new Date(date), async () => {
            cleaned += 1;
            return `removed ${cleaned}`;
          }),
        ),
      );
    const first = await night("2026-11-27T02:00:00Z");
    expect(first.filter(({ byMe }) => byMe)).toHaveLength(1);
    expect(new Set(first.map(({ report }) => report))).toEqual(new Set(["removed 1"]));
    expect((await night("2026-11-28T02:00:00Z"))[0]).toMatchObject({ report: "removed 2" });
    expect(cleaned).toBe(2);
  });

  it("the next does it where one fails, and where one's process goes away", async () => {
    const date = new Date("2026-11-29T02:00:00Z");
    const all = (hf: Holdfast) => nights(hf, "1s");
    const failing = onceTonight(all(processes[0]!), date, async () => {
      throw new Error("no space left");
    });
    await expect(failing).rejects.toThrow("no space left");
    let begun = (): void => undefined;
    const isRunning = new Promise<void>((resolve) => (begun = resolve));
    const going = onceTonight(all(processes[0]!), date, ({ signal }) => {
      begun();
      return new Promise<string>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    }).catch(() => "gone");
    await isRunning;
    const next = onceTonight(all(processes[1]!), date, async () => "done");
    await Promise.all([going, processes[0]!.close()]);
    expect(await next).toEqual({ report: "done", byMe: true });
  });
});
