// - a user of several processes, or requests, counts twice ..... "counts each user once"
// - who came back is counted against the wrong day ............. "a table of who came back"
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { DailyActives } from "./daily-actives.ts";

const DAY = 86_400_000;

describe.each(backends("standalone", "embedded"))("cookbook: daily actives [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  async function processes(count: number): Promise<DailyActives[]> {
    const prefix = `cook-${randomUUID()}`;
    const opened = await Promise.all(
      Array.from({ length: count }, () => connect(url, { ...options, prefix, timeout: "30s" })),
    );
    handles.push(...opened);
    return opened.map((hf) => new DailyActives(hf, "UTC"));
  }

  it("counts each user once, by day, week and month", async () => {
    const [a, b] = await processes(2);
    const now = Date.now();
    const ago = (days: number): Date => new Date(now - days * DAY);
    await Promise.all([
      a!.seen("ada", ago(0)),
      b!.seen("ada", ago(0)),
      a!.seen("bob", ago(3)),
      b!.seen("ada", ago(3)),
      a!.seen("eve", ago(20)),
    ]);
    expect(await b!.overview()).toEqual({ daily: 1, weekly: 2, monthly: 3, stickiness: 1 / 3 });
  });

  it("a table of who came back", async () => {
    const [a, b] = await processes(2);
    const from = new Date(Date.now() - 3 * DAY);
    const on = (day: number, ...users: string[]): Promise<unknown> =>
      Promise.all(users.map((user) => a!.seen(user, new Date(from.getTime() + day * DAY))));
    await on(0, "a", "b", "c", "d");
    await on(1, "a", "b", "e");
    await on(2, "a", "e");
    const lines = await b!.cohorts(from, 3);
    expect(lines.map((line) => line.slice(10).trim().replace(/ +/g, " "))).toEqual(["4 50 % 25 %", "1 100 %", "0"]);
    expect(lines[0]!.slice(0, 10)).toBe(from.toISOString().slice(0, 10));
  });
});
