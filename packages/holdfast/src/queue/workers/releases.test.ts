// While a new release is rolled out, workers and jobs of two releases are there. What could go wrong, and the test for each:
// - a job of a renamed, a new or a dropped name is lost, fails, or runs twice ....... "old and new workers side by side ..."
// - a payload that one release writes is refused or mistaken by the other ........... "payloads of both releases ..."
// - a job that was stored by an earlier release is read otherwise by this one ....... "runs what was stored as ..."
// - what a later release stores with a job makes this one stop ...................... the same, "options of a later release"
// - a failure that was remembered by an earlier release is forgotten ................ "goes on counting failures ..."
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { QueueJob } from "../job.ts";
import type { Queue } from "../queue.ts";

describe.each(backends("standalone", "cluster", "embedded"))("two releases [$name]", ({ url, options }) => {
  const prefix = `q-${randomUUID()}`;
  let before: Holdfast;
  let after: Holdfast;
  beforeAll(async () => {
    [before, after] = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });
  afterAll(() => Promise.all([before.close(), after.close()]));

  const QUICK = { poll: "50ms", concurrency: 3 } as const;
  const isOver = (queue: Queue<number>): Promise<unknown> =>
    until("all jobs are over", async () => {
      const { waiting, delayed, active, unhandled } = await queue.counts();
      return waiting + delayed + active + unhandled === 0;
    });

  it("old and new workers side by side run each job once: renamed names by either, new ones by the new, dropped ones by the old", async () => {
    const name = randomUUID();
    const settings = { attempts: 1 };
    const [old, current] = [before.queue<number>(name, settings), after.queue<number>(name, settings)];
    const runs: { readonly by: "old" | "new"; readonly name: string; readonly payload: number }[] = [];
    const by = (who: "old" | "new") => async (job: QueueJob<number>) => {
      runs.push({ by: who, name: job.name!, payload: job.payload });
    };
    const oldWorker = old.work({ welcome: by("old"), fax: by("old") }, QUICK);
    await using _new = current.work(
      { greet: by("new"), digest: by("new") },
      { ...QUICK, aliases: { welcome: "greet" } },
    );
    for (let at = 0; at < 20; at += 1) {
      await Promise.all([
        old.add(at, { name: "welcome" }),
        old.add(at, { name: "fax" }),
        current.add(at, { name: "greet" }),
        current.add(at, { name: "digest" }),
      ]);
    }
    await isOver(current);
    await oldWorker.close();
    // The old one is gone, its producers are not.
    await old.addMany([20, 21], { name: "welcome" });
    await isOver(current);
    const ran = (job: string) => runs.filter((run) => run.name === job);
    const payloads = (count: number) => Array.from({ length: count }, (_, at) => at);
    const sorted = (job: string) =>
      ran(job)
        .map(({ payload }) => payload)
        .toSorted((a, b) => a - b);
    expect(sorted("welcome")).toEqual(payloads(22));
    for (const job of ["fax", "greet", "digest"]) expect(sorted(job)).toEqual(payloads(20));
    expect(new Set(ran("fax").map((run) => run.by))).toEqual(new Set(["old"]));
    for (const job of ["greet", "digest"]) expect(new Set(ran(job).map((run) => run.by))).toEqual(new Set(["new"]));
    expect(await current.counts()).toMatchObject({ dead: 0, unhandled: 0 });
  });

  it("payloads of both releases are read by both, where the new schema fills in what the old one does not write", async () => {
    const name = randomUUID();
    const New = z.object({ to: z.string(), locale: z.string().default("en") });
    const old = before.queue<{ to: string }>(name);
    const current = after.queue(name, { payload: New });
    const seen: Record<"old" | "new", unknown[]> = { old: [], new: [] };
    await Promise.all([old.add({ to: "ada" }), current.add({ to: "eve", locale: "de" })]);
    await old.work((job) => void seen.old.push(job.payload), { until: "empty" }).ended;
    await Promise.all([old.add({ to: "ada" }), current.add({ to: "eve", locale: "de" })]);
    await current.work((job) => void seen.new.push(job.payload), { until: "empty" }).ended;
    expect(new Set(seen.old)).toEqual(new Set([{ to: "ada" }, { to: "eve", locale: "de" }]));
    expect(new Set(seen.new)).toEqual(
      new Set([
        { to: "ada", locale: "en" },
        { to: "eve", locale: "de" },
      ]),
    );
  });

  /** As it was written: 13 digits of time, a lane, the options, a line's end, the payload with its header. It is added to and never changed. */
  const ADDED_AT = 1_700_000_000_000;
  const STORED: readonly (readonly [what: string, lane: number, options: string, expected: object])[] = [
    ["a bare job", 2, "", { name: undefined, group: undefined, tags: [], attempt: 1, scheduledFor: undefined }],
    [
      "a job with a name, attempts and tags",
      1,
      '{"n":"welcome","a":3,"t":["a","b"]}',
      { name: "welcome", tags: ["a", "b"] },
    ],
    ["a job with a result, a unique key and a delay", 3, '{"u":"k","r":1,"d":1}', { attempt: 1 }],
    ["a job of a schedule", 2, '{"s":1700000000000}', { scheduledFor: ADDED_AT }],
    [
      "a job with a trace",
      2,
      `{"w":"00-${"a".repeat(32)}-${"b".repeat(16)}-01 x=1"}`,
      { trace: { tracestate: "x=1" } },
    ],
    ["a job that expires far away", 2, '{"x":"9999999999999"}', { attempt: 1 }],
    ["options of a later release", 2, '{"n":"welcome","Z":{"new":true}}', { name: "welcome" }],
  ];
  const LANES = ["high", "normal", "low"];

  it.each(STORED)("runs what was stored as %s", async (_, lane, travelling, expected) => {
    const queue = after.queue<string>(randomUUID());
    const key = (part: string): string => `${prefix}:queue:{${queue.name}}:${part}`;
    const head = Buffer.from(`${ADDED_AT}${lane}${travelling}\n`);
    const record = Buffer.concat([head, Buffer.from([0xf9, 0x01]), Buffer.from('"hello"')]);
    await after.command("HSET", key("jobs"), "old-1", record);
    await after.command("RPUSH", key(LANES[lane - 1]!), "old-1");
    expect(await queue.get("old-1")).toMatchObject({ state: "waiting", payload: "hello", priority: LANES[lane - 1] });
    const seen: QueueJob<string>[] = [];
    await queue.work((job) => void seen.push(job), { until: "empty" }).ended;
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ id: "old-1", payload: "hello", addedAt: ADDED_AT, crashes: 0, ...expected });
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, dead: 0 });
  });

  it("goes on counting failures and crashes that an earlier release has remembered", async () => {
    const queue = after.queue<string>(randomUUID(), { attempts: 3 });
    const key = (part: string): string => `${prefix}:queue:{${queue.name}}:${part}`;
    const failures = '{"failures":1,"last":[{"attempt":1,"at":1700000000000,"message":"first"}]}';
    const record = Buffer.concat([Buffer.from(`${ADDED_AT}2\n`), Buffer.from([0xf9, 0x01]), Buffer.from('"hello"')]);
    await after.command("HSET", key("jobs"), "old-1", record);
    const info = Buffer.concat([Buffer.from([0xf9, 0x01]), Buffer.from(failures)]);
    await after.command("HSET", key("meta"), "fold-1", info, "cold-1", "1");
    await after.command("RPUSH", key("normal"), "old-1");
    const seen: [attempt: number, crashes: number][] = [];
    const handler = (job: QueueJob<string>) => {
      seen.push([job.attempt, job.crashes]);
      throw new Error("again");
    };
    await using _worker = queue.work(handler, { poll: "50ms" });
    await until("it has run", () => seen.length === 1);
    await until("it has failed", async () => (await queue.get("old-1"))?.failures === 2);
    expect(seen).toEqual([[2, 1]]);
    expect((await queue.get("old-1"))!.history.map(({ message }) => message)).toEqual(["first", "again"]);
  });
});
