// What could go wrong, and the test for each:
// - each process writes the report ...................... "writes each report once, whatever the number of processes"
// - the nights in which no process was alive are lost ... "makes up for the nights in which nothing was alive"
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomUUID } from "node:crypto";
import { connect, type Holdfast } from "holdfast";
import { createTestServer } from "holdfast/testing";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { keepSchedules, reportQueue, writeReports } from "./nightly-report.ts";

describe.each(backends("standalone", "embedded"))("cookbook: nightly report [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles.push(...(await Promise.all([1, 2, 3].map(() => connect(url, { ...options, prefix })))));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("writes each report once, whatever the number of processes", async () => {
    const written: string[] = [];
    const often = { every: 200, max: 3, missed: { catchUp: 7 }, payload: { title: "Sales" } } as const;
    const workers = await Promise.all(
      handles.map(async (hf) => {
        const reports = reportQueue(hf);
        await keepSchedules(reports, often);
        return writeReports(reports, async (name) => void written.push(name));
      }),
    );
    await until("all are written", () => workers.reduce((sum, worker) => sum + worker.stats().completed, 0) === 3);
    await Promise.all(workers.map((worker) => worker.close()));
    expect(written).toHaveLength(3);
    expect(await reportQueue(handles[0]!).schedules.get("nightly")).toMatchObject({ runs: 3, owner: "reporting" });
  });
});

describe("cookbook: nightly report [embedded, at a chosen time]", () => {
  it("makes up for the nights in which nothing was alive", async () => {
    await using server = await createTestServer({ clock: "virtual", startAt: new Date("2026-10-23T12:00:00Z") });
    const url = await server.listen();
    {
      await using hf = await connect(url);
      await keepSchedules(reportQueue(hf));
    }
    // The clocks change in the night to the 25th: seven in the morning is an hour later in UTC.
    await server.clock.advance("3d");
    await using hf = await connect(url);
    const reports = reportQueue(hf);
    await keepSchedules(reports);
    const written: string[] = [];
    await using _worker = writeReports(reports, async (name) => void written.push(name));
    await until("all are written", () => written.length === 3);
    expect(written).toEqual(["Sales 2026-10-24", "Sales 2026-10-25", "Sales 2026-10-26"]);
    const { next, missedTicks, lateRuns } = (await reports.schedules.get("nightly"))!;
    expect([next[0], missedTicks, lateRuns]).toEqual([Date.parse("2026-10-27T06:00:00Z"), 0, 3]);
  });
});
