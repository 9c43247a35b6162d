/**
 * What could go wrong, and the test for each:
 * - a point is not in a range over its time, or is there twice ... "in whatever order", and model.test.ts
 * - a bucket is not what its points are .......................... "each aggregate"
 * - a counter that began again counts backwards .................. "begins again"
 * - buckets without points are made up ........................... "fill"
 * - sealing or rolling up changes an answer, or loses a late point  "sealed", "after its period was sealed"
 * - series of a group are not aligned ............................ "by label"
 * - what is bounded grows ........................................ "limit", "late"
 * - something is left that does not expire ....................... "every key expires"
 * - what one roll-up does not have is not looked for in the others  "added later"
 * - a series counts twice, or under a label that it does not have  "named twice"
 * - late points make a period grow with each sealing ............. "stays full"
 * - what is removed is still there ............................... "remove"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import type { Series, SeriesPoint } from "./series.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe.each(backends())("series [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  async function serverNow(): Promise<number> {
    const reply = (await handles.a.driver.send(["TIME"], { op: "test", class: "read" })) as Buffer[];
    return Number(reply[0]) * 1_000 + Math.floor(Number(reply[1]) / 1_000);
  }

  /** The start of the last whole hour but one: nothing of it is ahead, and all of it is kept. */
  const past = async (): Promise<number> => Math.floor((await serverNow()) / HOUR) * HOUR - 2 * HOUR;

  async function walked(series: Series, from: number, to: number): Promise<SeriesPoint[]> {
    const points: SeriesPoint[] = [];
    for await (const point of series.points("x", { from, to })) points.push(point);
    return points;
  }

  it("a point is at the server's time, or at the one that is given; the newest is the last", async () => {
    const series = handles.a.series(randomName());
    expect(await series.last("x")).toBeUndefined();
    const before = await serverNow();
    expect(await series.add("x", 1.5)).toEqual({ status: "ok" });
    const last = await handles.b.series(series.name).last("x");
    expect(last!.value).toBe(1.5);
    expect(last!.at).toBeGreaterThanOrEqual(before - 1);
    expect(last!.at).toBeLessThanOrEqual((await serverNow()) + 5_000);
    await series.add("x", 7, { at: new Date(before - 5_000) });
    expect((await series.last("x"))!.value).toBe(1.5);
    await series.add("y", -2, { at: before });
    expect(await series.lastMany(["x", "y", "z"])).toEqual(
      new Map([
        ["x", last],
        ["y", { at: before, value: -2 }],
      ]),
    );
  });

  it("points are read in the order of time, in whatever order they came, over several periods", async () => {
    const series = handles.a.series(randomName(), { period: "10m" });
    const start = await past();
    const times = Array.from({ length: 90 }, (_, at) => start + ((at * 37) % 90) * MINUTE);
    await Promise.all(times.map((at) => series.add("x", (at - start) / MINUTE, { at })));
    const other = handles.b.series(series.name, { period: "10m" });
    const all = await walked(other, start, start + 2 * HOUR);
    expect(all).toEqual(times.toSorted((a, b) => a - b).map((at) => ({ at, value: (at - start) / MINUTE })));
    expect(await walked(other, start + 5 * MINUTE, start + 25 * MINUTE)).toEqual(all.slice(5, 25));
  });

  it("each aggregate of a bucket is that of its points", async () => {
    const series = handles.a.series(randomName());
    const start = await past();
    const values = [4, 8, 6, 2, 10, 0];
    await Promise.all(values.map((value, at) => series.add("x", value, { at: start + at * MINUTE })));
    const aggregate = ["avg", "sum", "min", "max", "count", "first", "last", "p0", "p100"] as const;
    const span = { from: start, to: start + HOUR, every: "3m" } as const;
    const buckets = await series.range("x", { ...span, aggregate });
    expect(buckets.map(({ p0, p100, ...rest }) => ({ ...rest, p0: Math.round(p0!), p100: Math.round(p100!) }))).toEqual(
      [
        { at: start, avg: 6, sum: 18, min: 4, max: 8, count: 3, first: 4, last: 6, p0: 4, p100: 8 },
        { at: start + 3 * MINUTE, avg: 4, sum: 12, min: 0, max: 10, count: 3, first: 2, last: 0, p0: 0, p100: 10 },
      ],
    );
    const [one] = await series.range("x", { from: start + MINUTE, to: start + 2 * MINUTE, every: "1h" });
    expect(one).toEqual({ at: start, avg: 5 });
  });

  it("a counter that begins again counts on, over the edges of buckets and periods", async () => {
    const series = handles.a.series(randomName(), { period: "5m" });
    const start = await past();
    const values = [100, 130, 150, 20, 50, 80, 90, 5];
    await Promise.all(values.map((value, at) => series.add("x", value, { at: start + at * MINUTE })));
    const options = { to: start + 8 * MINUTE, every: "2m", aggregate: ["increase", "rate"] } as const;
    const buckets = await series.range("x", { from: start, ...options });
    expect(buckets.map(({ increase }) => increase)).toEqual([30, 40, 60, 15]);
    expect(buckets[1]!.rate).toBeCloseTo(40 / 120);
    // What a bucket has risen since the one before it does not depend on where the range begins.
    expect(await series.range("x", { from: start + 2 * MINUTE, ...options })).toEqual(buckets.slice(1));
  });

  it("fill says what a bucket without points gets", async () => {
    const series = handles.a.series(randomName());
    const start = await past();
    await series.add("x", 10, { at: start + MINUTE });
    await series.add("x", 40, { at: start + 4 * MINUTE });
    const range = async (fill: "none" | "empty" | "zero" | "previous" | "linear"): Promise<unknown[]> =>
      (await series.range("x", { from: start, to: start + 6 * MINUTE, every: "1m", fill })).map(({ avg }) => avg);
    expect(await range("none")).toEqual([10, 40]);
    expect(await range("empty")).toEqual([undefined, 10, undefined, undefined, 40, undefined]);
    expect(await range("zero")).toEqual([0, 10, 0, 0, 40, 0]);
    expect(await range("previous")).toEqual([undefined, 10, 10, 10, 40, 40]);
    expect(await range("linear")).toEqual([undefined, 10, 20, 30, 40, undefined]);
  });

  it("series are found by label, and are one per value of a label", async () => {
    const series = handles.a.series(randomName());
    const start = await past();
    const hosts = { a: "eu", b: "eu", c: "us" };
    for (const [id, region] of Object.entries(hosts))
      for (const minute of [0, 1])
        await series.add(id, minute + id.charCodeAt(0), {
          at: start + minute * MINUTE,
          labels: { region, kind: "web" },
        });
    const other = handles.b.series(series.name);
    expect(await other.find({ region: "eu" })).toEqual(
      new Map([
        ["a", { kind: "web", region: "eu" }],
        ["b", { kind: "web", region: "eu" }],
      ]),
    );
    expect([...(await other.find({ region: ["us", "asia"] })).keys()]).toEqual(["c"]);
    expect((await other.find()).size).toBe(3);
    const span = { from: start, to: start + 2 * MINUTE, every: "1m" } as const;
    const sums = await other.rangeMany({ ...span, where: { kind: "web" }, groupBy: "region", reduce: "sum" });
    expect(sums.get("eu")).toEqual([
      { at: start, avg: 97 + 98 },
      { at: start + MINUTE, avg: 97 + 98 + 2 },
    ]);
    expect(sums.get("us")![0]!.avg).toBe(99);
    expect((await other.rangeMany({ ...span, where: { kind: "web" }, reduce: "max" })).get("")![0]!.avg).toBe(99);
    expect([...(await other.rangeMany({ ...span, ids: ["a", "c", "none"] })).keys()]).toEqual(["a", "c", "none"]);
    await series.add("a", 1, { labels: { region: "us" } });
    expect([...(await other.find({ region: "us" })).keys()].toSorted()).toEqual(["a", "c"]);
  });

  it("series of which nothing is kept are not found, and a group that is too large is refused", async () => {
    const series = handles.a.series(randomName());
    for (const id of ["x", "y"]) await series.add(id, 1, { at: await past(), labels: { id } });
    await handles.send("ZADD", `${handles.prefix}:series:{${series.name}}:ids`, "1", "y");
    expect([...(await series.find()).keys()]).toEqual(["x"]);
    const ids = Array.from({ length: 2_001 }, (_, at) => `s${at}`);
    const asked = series.rangeMany({ ids, last: "1000m", every: "1m" });
    await expect(asked).rejects.toThrow(/every: expected so long that all series have 2000000 buckets at most/);
  });

  it("sealed and rolled up, a range is what it was; a point that comes after its period was sealed is in it", async () => {
    const options = { period: "1s", keep: "1h", rollups: [{ every: "500ms", percentiles: true }] } as const;
    const series = handles.a.series(randomName(), options);
    const start = (await serverNow()) - 10_000;
    const from = start - (start % 1_000);
    for (let at = 0; at < 5_000; at += 100) await series.add("x", at % 700, { at: from + at });
    const asked = { from, to: from + 8_000, every: "1s", aggregate: ["avg", "count", "increase", "p90"] } as const;
    const before = await series.range("x", asked);
    expect(before.map(({ count }) => count)).toEqual([10, 10, 10, 10, 10]);
    const first = Math.floor(from / 1_000);
    const open = (period: number): string => `${handles.prefix}:series:${series.name}:{x}:1000:${period}`;
    const isSealed = async (period: number): Promise<boolean> => {
      // Each use looks for what is due.
      await series.add("x", 0, { at: from + 7_000 });
      const [sealed, left] = [
        await handles.send("EXISTS", `${open(period)}:sealed`),
        await handles.send("EXISTS", open(period)),
      ];
      return sealed === 1 && left === 0;
    };
    for (let period = first; period < first + 5; period += 1)
      await until("the period is sealed", () => isSealed(period));
    expect((await series.range("x", asked)).slice(0, 5)).toEqual(before);
    await handles.b.series(series.name, options).add("x", 1_000_000, { at: from + 50 });
    const after = await series.range("x", asked);
    expect(after[0]!.count).toBe(11);
    expect(after.slice(1, 5).map(({ count }) => count)).toEqual([10, 10, 10, 10]);
    await until("it is sealed again", () => isSealed(first));
    expect((await series.range("x", asked))[0]).toEqual(after[0]);
  });

  it("what is left of points that are gone is in the roll-up", async () => {
    const options = { period: "1s", keep: "1h", rollups: ["1s"] } as const;
    const series = handles.a.series(randomName(), options);
    const at = Math.floor((await serverNow()) / 1_000) * 1_000 - 5_000;
    await series.add("x", 3, { at });
    await series.add("x", 5, { at: at + 10 });
    const sealed = `${handles.prefix}:series:${series.name}:{x}:1000:${at / 1_000}:sealed`;
    await until("it is sealed", async () => {
      await series.add("y", 0);
      return (await handles.send("EXISTS", sealed)) === 1;
    });
    await handles.send("DEL", sealed);
    expect(await walked(series, at, at + 1_000)).toEqual([]);
    const span = { from: at, to: at + 1_000, every: "1s" } as const;
    expect(await series.range("x", { ...span, aggregate: ["sum", "count", "last"] })).toEqual([
      { at, sum: 8, count: 2, last: 5 },
    ]);
    expect(await series.range("x", { ...span, aggregate: "p50" })).toEqual([]);
  });

  it("limit and late: nothing more than the bounds, nothing that would not be kept", async () => {
    const series = handles.a.series(randomName(), { maxPoints: 3, maxSeries: 2, keep: "2h" });
    const start = await past();
    const statuses = async (...added: Promise<{ status: string }>[]): Promise<string[]> =>
      (await Promise.all(added)).map(({ status }) => status);
    const at = start + HOUR;
    expect(await statuses(series.add("x", 1, { at }), series.add("x", 2, { at: at + 1 }))).toEqual(["ok", "ok"]);
    // Those of one tick go in one piece.
    expect(await statuses(series.add("x", 3, { at }), series.add("x", 4, { at }))).toEqual(["limit", "limit"]);
    expect(await statuses(series.add("x", 5, { at: at + 2 }))).toEqual(["ok"]);
    expect(await statuses(series.add("x", 6, { at: at + 3 }))).toEqual(["limit"]);
    expect(await statuses(series.add("y", 1, { at }))).toEqual(["ok"]);
    expect(await statuses(series.add("z", 1, { at }))).toEqual(["limit"]);
    expect(await statuses(series.add("x", 1, { at: start - 3 * HOUR }))).toEqual(["late"]);
    await expect(series.add("x", 1, { at: start + 72 * HOUR })).rejects.toThrow(
      /at: expected a time at most a day ahead/,
    );
    expect((await walked(series, start, start + 3 * HOUR)).map(({ value }) => value)).toEqual([1, 2, 5]);
  });

  it.each([
    ["last", 3],
    ["first", 1],
    ["sum", 6],
    ["all", 6],
  ] as const)("of points of one millisecond %s counts", async (duplicates, sum) => {
    const series = handles.a.series(randomName(), { duplicates });
    const at = await past();
    for (const value of [1, 2, 3]) await series.add("x", value, { at });
    const [bucket] = await series.range("x", { from: at, to: at + 1, every: "1s", aggregate: ["sum", "count"] });
    expect(bucket).toEqual({ at, sum, count: duplicates === "all" ? 3 : 1 });
  });

  it("a roll-up that was added later, or has percentiles since then, hides nothing", async () => {
    const keep = { period: "1s", keep: "1h" } as const;
    const name = randomName();
    const series = handles.a.series(name, { ...keep, rollups: ["500ms"] });
    const at = Math.floor((await serverNow()) / 1_000) * 1_000 - 5_000;
    for (const since of [0, 10, 600]) await series.add("x", since, { at: at + since });
    const sealed = `${handles.prefix}:series:${name}:{x}:1000:${at / 1_000}:sealed`;
    await until("it is sealed", async () => {
      await series.add("y", 0);
      return (await handles.send("EXISTS", sealed)) === 1;
    });
    const later = handles.b.series(name, { ...keep, rollups: ["1s", { every: "500ms", percentiles: true }] });
    const asked = { from: at, to: at + 1_000, every: "1s", aggregate: ["count", "p100"] } as const;
    const [bucket] = await later.range("x", asked);
    expect(bucket!.count).toBe(3);
    expect(Math.abs(bucket!.p100! - 600)).toBeLessThan(6);
    await handles.send("DEL", sealed);
    expect(await later.range("x", { ...asked, aggregate: "count" })).toEqual([{ at, count: 3 }]);
    expect(await later.range("x", asked)).toEqual([{ at, count: 3, p100: undefined }]);
  });

  it("a series that is named twice counts once, and under no label that it does not have", async () => {
    const series = handles.a.series(randomName());
    const at = await past();
    await series.add("x", 3, { at, labels: { "a}:b": "ü", ...(JSON.parse('{"__proto__":"p"}') as object) } });
    const asked = { from: at, to: at + 1, every: "1s", aggregate: "sum", reduce: "sum" } as const;
    expect(await series.rangeMany({ ...asked, ids: ["x", "x"] })).toEqual(new Map([["", [{ at, sum: 3 }]]]));
    const groups = async (groupBy: string): Promise<string[]> => [
      ...(await series.rangeMany({ ...asked, groupBy })).keys(),
    ];
    expect(await groups("a}:b")).toEqual(["ü"]);
    expect(await groups("__proto__")).toEqual(["p"]);
    for (const name of ["constructor", "toString"]) expect(await groups(name)).toEqual([""]);
  });

  it("a period that is full when it is sealed again stays full", async () => {
    const series = handles.a.series(randomName(), { period: "1s", keep: "1h", maxPoints: 2 });
    const at = Math.floor((await serverNow()) / 1_000) * 1_000 - 5_000;
    const unsealed = `${handles.prefix}:series:{${series.name}}:unsealed:1000`;
    const isSettled = async (): Promise<boolean> => {
      await series.last("x");
      await series.range("x", { from: at, to: at + 1_000, every: "1s" });
      return (await handles.send("ZCARD", unsealed)) === 0;
    };
    for (const since of [0, 1]) expect(await series.add("x", 1, { at: at + since })).toEqual({ status: "ok" });
    await until("it is sealed", isSettled);
    for (const since of [2, 3]) expect(await series.add("x", 1, { at: at + since })).toEqual({ status: "ok" });
    await until("it is not to be sealed again", isSettled);
    expect(await series.add("x", 1, { at: at + 4 })).toEqual({ status: "limit" });
    expect(await walked(series, at, at + 1_000)).toHaveLength(4);
  });

  it("what no call could end with is refused: a bucket of more periods than a range, a roll-up twice", async () => {
    const series = handles.a.series(randomName(), { period: "1s", keep: "1h" });
    await expect(series.range("x", { last: "1h", every: "365d" })).rejects.toThrow(/every: expected/);
    const rollups = ["1m", { every: 60_000, percentiles: true }] as const;
    expect(() => handles.a.series(randomName(), { rollups })).toThrow(/rollups: expected one of each `every`/);
  });

  it("remove takes the roll-up of the present too", async () => {
    // With it the last step over the keys of the roll-up, each of 240 periods, ends long before now.
    const series = handles.a.series(randomName(), { rollups: [{ every: "1h", keep: `${215 + 240}h` }] });
    const key = `${handles.prefix}:series:${series.name}:{x}:3600000:every:3600000`;
    const period = Math.floor((await serverNow()) / HOUR);
    await handles.send("HSET", `${key}:${Math.floor(period / 240)}`, String(period), "");
    expect(await series.remove("x")).toBe(true);
    expect(await handles.keys(`series:${series.name}:{x}`)).toEqual([]);
  });

  it("every key expires, and remove leaves none but the registry's", async () => {
    const series = handles.a.series(randomName(), { period: "10m", rollups: ["1m"] });
    const start = await past();
    for (const id of ["x", "y"])
      for (const minute of [0, 15, 30]) await series.add(id, minute, { at: start + minute * MINUTE, labels: { id } });
    const keys = [
      ...(await handles.keys(`series:${series.name}:`)),
      ...(await handles.keys(`series:{${series.name}}`)),
    ];
    expect(keys).toHaveLength(2 * 4 + 3);
    for (const key of keys) expect(Number(await handles.send("PTTL", key))).toBeGreaterThan(HOUR);
    expect(await series.remove("x")).toBe(true);
    expect(await series.remove("x")).toBe(false);
    expect(await walked(series, start, start + 2 * HOUR)).toEqual([]);
    expect(await series.last("x")).toBeUndefined();
    expect([...(await series.find()).keys()]).toEqual(["y"]);
    expect(await handles.keys(`series:${series.name}:{x}`)).toEqual([]);
  });
});
