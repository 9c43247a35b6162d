/**
 * What could go wrong, and the test for each:
 * - a member that was added is not found, or not known as added ........ "finds what was added", model.test.ts
 * - two processes are both told that a member was new ................... "of several who add", "end of a generation"
 * - a full filter becomes wrong, or forgets ............................. "full"
 * - members are forgotten too early, or never ........................... "as time goes by"
 * - a key stays for ever, or a segment takes twice its memory ........... "keys"
 * - two filters, or two geometries, meet in one key ..................... "keys"
 * - an evicted segment takes the others with it ......................... "evicted"
 * (geometry.test.ts: it is wrong too often; faults.test.ts: lost answers and outages)
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Bloom, BloomAddResult } from "./bloom.ts";
import { createTestServer } from "../testing/index.ts";
import { geometryOf, placeOf } from "./geometry.ts";
import type { BloomOptions } from "./options.ts";

const members = (count: number, head = "m"): string[] => Array.from({ length: count }, (_, at) => `${head}${at}`);
const statuses = (results: Map<unknown, BloomAddResult>): Partial<Record<BloomAddResult["status"], number>> => {
  const counts: Partial<Record<BloomAddResult["status"], number>> = {};
  for (const { status } of results.values()) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

describe.each(backends())("bloom [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const pair = (options: BloomOptions): [Bloom, Bloom] => {
    const name = randomName();
    return [both.a.bloom(name, options), both.b.bloom(name, options)];
  };

  it("finds what was added, whoever asks, and nothing else", async () => {
    const [here, there] = pair({ capacity: 1_000, errorRate: 1e-6 });
    expect(await here.has("ada")).toBe(false);
    expect(await here.add("ada")).toEqual({ status: "ok" });
    expect(await there.add("ada")).toEqual({ status: "duplicate" });
    expect(await there.has("ada")).toBe(true);
    expect(await here.addMany(["ada", 7, "7", "{b}", "🛫"])).toEqual(
      new Map<string | number, BloomAddResult>([
        ["ada", { status: "duplicate" }],
        [7, { status: "ok" }],
        ["7", { status: "duplicate" }],
        ["{b}", { status: "ok" }],
        ["🛫", { status: "ok" }],
      ]),
    );
    expect(await there.hasMany(["ada", 7, "eve", "{b}"])).toEqual(
      new Map<string | number, boolean>([
        ["ada", true],
        [7, true],
        ["eve", false],
        ["{b}", true],
      ]),
    );
    expect(await here.addMany([])).toEqual(new Map());
    expect(await here.hasMany([])).toEqual(new Map());
    expect(await here.info()).toMatchObject({ count: 4, capacity: 1_000 });
    await there.clear();
    expect(await here.hasMany(["ada", 7])).toEqual(
      new Map<string | number, boolean>([
        ["ada", false],
        [7, false],
      ]),
    );
  });

  it("many members over several segments, added and asked for in one call", async () => {
    const [here, there] = pair({ capacity: 200_000, errorRate: 0.001 });
    expect(statuses(await here.addMany(members(600))).ok).toBeGreaterThan(597);
    expect([...(await there.hasMany(members(600))).values()].every(Boolean)).toBe(true);
    expect([...(await there.hasMany(members(600, "other"))).values()].filter(Boolean).length).toBeLessThan(3);
    const { count, bytes, errorRate } = await there.info();
    expect(count).toBeGreaterThan(597);
    expect(errorRate).toBeLessThan(1e-9);
    const keys = await both.keys(`bloom:{${here.name}`);
    expect(keys).toHaveLength(geometryOf(200_000, 0.001).segments);
    expect(bytes).toBeGreaterThan(300_000);
  });

  it("of several who add a member at once, one is told that it was new", async () => {
    const [here, there] = pair({ capacity: 1_000, errorRate: 1e-6 });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? here : there).add("ada")));
    expect(answers.filter(({ status }) => status === "ok")).toHaveLength(1);
  });

  it("a full filter refuses what is new, knows what it has, and is no more wrong than it says", async () => {
    const [here, there] = pair({ capacity: 100, errorRate: 0.01 });
    const first = statuses(await here.addMany(members(200)));
    // It has room for five standard deviations above its capacity.
    expect(first.limit).toBeGreaterThan(40);
    expect(await there.add("one more")).toEqual({ status: "limit" });
    expect(await there.has("one more")).toBe(false);
    const again = await there.addMany(members(100));
    expect(statuses(again)).toEqual({ duplicate: 100 });
    const { count, capacity, errorRate } = await here.info();
    expect([count, capacity]).toEqual([150, 100]);
    expect(errorRate).toBeLessThan(0.012);
  });

  it("keys are allocated once, apart by name and geometry, and expire with ttl only", async () => {
    const name = randomName();
    const at = Date.now();
    await both.a.bloom(name, { capacity: 40_000 }).add("a");
    await both.a.bloom(name, { capacity: 50 }).add("b");
    await both.a.bloom(`${name}2`, { capacity: 50, ttl: "1h" }).add("a");
    expect(await both.b.bloom(name, { capacity: 40_000 }).has("b")).toBe(false);
    const found = await both.keys(`bloom:{${name}}`);
    expect(found).toHaveLength(2);
    for (const key of found) expect(await both.send("TTL", key)).toBe(-1);
    const sizes = await Promise.all(found.map((key) => both.send("STRLEN", key)));
    expect(sizes.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      [50, 40_000].map((capacity) => 4 + geometryOf(capacity, 0.01).bits / 8),
    );
    // Of twice the capacity: segments of the same size, twice as many.
    const [million, two] = [1_000_000, 2_000_000].map((capacity) => ({
      capacity,
      geometry: geometryOf(capacity, 0.01),
    }));
    expect(million!.geometry.bits).toBe(two!.geometry.bits);
    const segmentsOf = (member: string): number[] =>
      [million, two].map((each) => placeOf(member, each!.geometry).segment);
    const shared = members(50).find((member) => new Set(segmentsOf(member)).size === 1)!;
    await both.a.bloom(`${name}3`, { capacity: million!.capacity }).add(shared);
    expect(await both.b.bloom(`${name}3`, { capacity: two!.capacity }).has(shared)).toBe(false);
    const [timed] = await both.keys(`bloom:{${name}2}`);
    const hour = 3_600_000;
    expect(await both.send("PEXPIRETIME", timed!)).toBe((Math.floor(at / hour) + 2) * hour);
  });

  it("an evicted segment forgets its members, and the others are there", async () => {
    const [here] = pair({ capacity: 200_000, errorRate: 0.001 });
    await here.addMany(members(300));
    const keys = await both.keys(`bloom:{${here.name}`);
    await both.send("DEL", keys[0]!);
    const left = [...(await here.hasMany(members(300))).values()].filter(Boolean).length;
    expect(left).toBeGreaterThan(100);
    expect(left).toBeLessThan(300);
    expect(statuses(await here.addMany(members(300))).ok).toBeGreaterThanOrEqual(300 - left - 1);
  });
});

describe("bloom as time goes by", () => {
  it("a member is forgotten between one ttl and two after it was added last, and leaves nothing", async () => {
    await using server = await createTestServer({ clock: "virtual", startAt: new Date("2026-01-01T00:00:00Z") });
    const hf = await server.connect();
    const bloom = hf.bloom("x", { capacity: 100, ttl: "1h" });
    await server.clock.advance("50m");
    expect(await bloom.addMany(["kept", "not"])).toEqual(
      new Map([
        ["kept", { status: "ok" }],
        ["not", { status: "ok" }],
      ]),
    );
    await server.clock.advance("55m");
    expect(await bloom.add("kept")).toEqual({ status: "duplicate" });
    await server.clock.advance("10m");
    const both = (kept: boolean, not: boolean): Map<string, boolean> => new Map(Object.entries({ kept, not }));
    expect(await bloom.hasMany(["kept", "not"])).toEqual(both(true, true));
    await server.clock.advance("10m");
    expect(await bloom.hasMany(["kept", "not"])).toEqual(both(true, false));
    await server.clock.advance("50m");
    expect(await bloom.hasMany(["kept", "not"])).toEqual(both(true, false));
    await server.clock.advance("10m");
    expect(await bloom.hasMany(["kept", "not"])).toEqual(both(false, false));
    const left: string[] = [];
    for await (const page of hf.scan("bloom:")) left.push(...page);
    expect(left).toEqual([]);
  });

  it("a process whose clock is behind adds to the generation that the server is in", async () => {
    await using server = await createTestServer({ clock: "virtual", startAt: new Date("2026-01-01T00:59:59.900Z") });
    const [hf, other] = [await server.connect(), await server.connect()];
    const bloom = hf.bloom("x", { capacity: 100, ttl: "1h" });
    // Before the end of the generation it asks for; executed behind it.
    await bloom.has("warm up");
    const slow = server.faults.delay(200);
    const adding = bloom.add("ada");
    await server.clock.advance("500ms");
    expect(await adding).toEqual({ status: "ok" });
    slow.heal();
    expect(await other.bloom("x", { capacity: 100, ttl: "1h" }).has("ada")).toBe(true);
    await server.clock.advance("90m");
    expect(await bloom.has("ada")).toBe(true);
  });

  it("an addition that comes when its generations are over is not stored, where nobody would find it", async () => {
    await using server = await createTestServer({ clock: "virtual", startAt: new Date("2026-01-01T00:00:00.900Z") });
    const hf = await server.connect();
    const bloom = hf.bloom("x", { capacity: 100, ttl: "1s" });
    await bloom.has("warm up");
    const slow = server.faults.delay(1_200);
    const adding = bloom.add("ada").catch((error: unknown) => error);
    await server.clock.advance("3s");
    expect(await adding).toMatchObject({ code: "TIMEOUT", op: "bloom.add" });
    slow.heal();
    const left: string[] = [];
    for await (const page of hf.scan("bloom:")) left.push(...page);
    expect(left).toEqual([]);
  });

  it("full: who is there from the generation before is no new one that was refused", async () => {
    await using server = await createTestServer({ clock: "virtual", startAt: new Date("2026-01-01T00:50:00Z") });
    const hf = await server.connect();
    const bloom = hf.bloom("x", { capacity: 5, errorRate: 1e-6, ttl: "1h" });
    await bloom.add("before");
    await server.clock.advance("20m");
    expect(statuses(await bloom.addMany(members(40))).limit).toBeGreaterThan(20);
    expect(await bloom.add("before")).toEqual({ status: "duplicate" });
    expect(await bloom.add("one more")).toEqual({ status: "limit" });
  });

  it("refuses what it cannot do, by name", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const hf = await server.connect();
    for (const options of [
      {},
      { capacity: 0 },
      { capacity: 1.5 },
      { capacity: 2e9 },
      { capacity: 5, errorRate: 0 },
      { capacity: 5, errorRate: Number.NaN },
      { capacity: 5, ttl: 10 },
      { capacity: 5, eror: 1 },
      undefined,
    ])
      expect(() => hf.bloom("x", options as BloomOptions)).toThrow(/^bloom "x": /);
    const bloom = hf.bloom("x", { capacity: 5 });
    for (const call of [
      () => bloom.add(""),
      () => bloom.hasMany("text"),
      () => bloom.addMany([{} as never]),
      () => bloom.has(Number.NaN),
    ])
      await expect(call()).rejects.toThrow(/^bloom "x": /);
  });
});
