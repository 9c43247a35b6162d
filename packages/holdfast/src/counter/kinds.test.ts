/**
 * What could go wrong, and the test that watches it:
 * - a bigint loses digits on its way, or passes 64 bits ............ "exact beyond 2^53", "within its bounds"
 * - a sum by period counts another period, or one twice ............ "sums by minute, hour and day"
 * - a refused increment is in the sums, an idempotent one twice .... "are added to with the counter"
 * - increments of shards are lost, or counted twice ................ "no increment of a hot counter is lost", "once"
 * - a shard expires while another is used .......................... "stays whole"
 * - an evicted key .................................................. "an evicted ..."
 * - options that do not go together ................................. "refuses"
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { slotOf } from "../driver/slot.ts";
import type { Holdfast } from "../holdfast.ts";
import { createTestServer, type TestServer } from "../testing/index.ts";
import type { ShardedCounter } from "./sharded.ts";

const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

describe.each(backends("standalone", "cluster", "embedded"))("counters of other kinds [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const { prefix, send } = both;
  const key = (name: string, id: string): string => `${prefix}:counter:${name}:{${id}}`;

  it("a bigint counter is exact beyond 2^53, as one of the same name is below", async () => {
    const name = randomName();
    const bytes = both.a.counter(name, { bigint: true });
    await both.b.counter(name).increment("x", 7);
    expect(await bytes.increment("x", 2n ** 53n)).toEqual({ status: "ok", value: 2n ** 53n + 7n });
    expect(await bytes.increment("x")).toEqual({ status: "ok", value: 2n ** 53n + 8n });
    expect(await bytes.decrement("y", 2n ** 62n + 1n)).toEqual({ status: "ok", value: -(2n ** 62n) - 1n });
    expect(await bytes.getMany(["x", "y", "z"])).toEqual(
      new Map([
        ["x", 2n ** 53n + 8n],
        ["y", -(2n ** 62n) - 1n],
        ["z", 0n],
      ]),
    );
    expect(await bytes.increment("x", 5n, { idempotencyKey: "k" })).toEqual({ status: "ok", value: 2n ** 53n + 13n });
    expect(await bytes.increment("x", 5n, { idempotencyKey: "k" })).toEqual({ status: "ok", value: 2n ** 53n + 13n });
    await expect(both.b.counter(name).get("x")).rejects.toMatchObject({ code: "WRONG_TYPE" });
    expect(await send("PTTL", key(name, "x"))).toBeGreaterThan(0);
  });

  it("a bigint counter stays within its bounds and within 64 bits, for random histories", async () => {
    const big = fc.oneof(fc.bigInt(-30n, 30n), fc.bigInt(MIN + 1n, MAX));
    await fc.assert(
      fc.asyncProperty(
        fc.array(big, { maxLength: 20 }),
        fc.constantFrom([MIN, MAX] as const, [-20n, 25n] as const, [0n, 2n ** 60n] as const),
        async (all, [min, max]) => {
          const counter = both.a.counter(randomName(), { bigint: true, min, max });
          let value = 0n;
          const expected = all.map((by) => {
            const isOk = value + by >= min && value + by <= max;
            if (isOk) value += by;
            const isUnbounded = by < 0n ? min === MIN : max === MAX;
            return isOk ? { status: "ok", value } : isUnbounded ? "UNSUPPORTED" : { status: "limit", value };
          });
          const answers = await Promise.allSettled(all.map((by) => counter.increment("x", by)));
          const seen = answers.map((each) =>
            each.status === "fulfilled" ? each.value : (each.reason as { code: string }).code,
          );
          expect(seen).toEqual(expected);
          expect(await counter.get("x")).toBe(value);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("a refused increment leaves a bigint counter and its time to live as they were", async () => {
    const name = randomName();
    const counter = both.a.counter(name, { bigint: true, max: 5n, ttl: "1h" });
    expect(await counter.increment("x", 6n)).toEqual({ status: "limit", value: 0n });
    expect(await both.keys(`counter:${name}`)).toEqual([]);
    await counter.increment("x", 5n);
    await send("PEXPIRE", key(name, "x"), "50000");
    expect(await counter.increment("x", 1n)).toEqual({ status: "limit", value: 5n });
    expect(await send("PTTL", key(name, "x"))).toBeGreaterThan(0);
    expect(await send("PTTL", key(name, "x"))).toBeLessThanOrEqual(50_000);
    await send("SET", key(name, "y"), "text", "PX", "60000");
    await expect(counter.increment("y", 1n)).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await expect(counter.get("y")).rejects.toMatchObject({ code: "WRONG_TYPE" });
  });

  it("sums by period are added to with the counter: not by what is refused, and once by what is repeated", async () => {
    const name = randomName();
    const [here, there] = [both.a, both.b].map((hf) => hf.counter(name, { windows: ["day", "hour"], max: 10 }));
    await Promise.all([here!.increment("x", 4), there!.increment("x", 5), here!.increment("y")]);
    expect(await there!.increment("x", 2)).toEqual({ status: "limit", value: 9 });
    const once = { idempotencyKey: "k" };
    await Promise.all([here!.decrement("x", 3, once), there!.decrement("x", 3, once)]);
    // Two hours, as the next one may have begun meanwhile.
    expect(await there!.window("hour").sum("x", { last: 2 })).toBe(6);
    expect(await there!.window("day").sum("x")).toBe(6);
    const days = await here!.window("day").values("y", { last: 20 });
    expect(days).toHaveLength(20);
    expect(days.reduce((sum, { value }) => sum + value, 0)).toBe(1);
    expect(await send("PTTL", `${key(name, "x")}:per:hour`)).toBeGreaterThan(0);
    await send("DEL", `${key(name, "x")}:per:hour`); // as an eviction would
    expect(await there!.window("hour").sum("x")).toBe(0);
    expect(await there!.get("x")).toBe(6);
    await send("DEL", key(name, "y"));
    expect(await there!.increment("y", 2)).toEqual({ status: "ok", value: 2 });
    expect(await there!.window("day").sum("y")).toBe(3);
    expect(await here!.reset("y")).toBe(true);
    expect(await there!.window("day").sum("y")).toBe(0);
  });

  it("no increment of a hot counter is lost, and its keys are in slots of their own", async () => {
    const name = randomName();
    const [here, there] = [both.a, both.b].map((hf) => hf.counter(name, { shards: 5 })) as [
      ShardedCounter,
      ShardedCounter,
    ];
    const adds = Array.from({ length: 300 }, (_, at) =>
      (at % 2 === 0 ? here : there).increment(at % 3 === 0 ? "x" : "y", at),
    );
    await Promise.all(adds);
    for (let round = 0; round < 30; round += 1) await Promise.all([here.increment("x"), there.decrement("y", 2)]);
    expect(await here.getMany(["x", "y", "z"])).toEqual(
      new Map([
        ["x", 99 * 50 * 3 + 30],
        ["y", (299 * 300) / 2 - 99 * 50 * 3 - 60],
        ["z", 0],
      ]),
    );
    const keys = await both.keys(`counter:${name}`);
    expect(keys.length).toBeGreaterThan(5);
    expect(new Set(keys.map((each) => slotOf(each))).size).toBe(keys.length);
    for (const each of keys) expect(await send("PTTL", each)).toBeGreaterThan(0);
    const [first, second] = await Promise.all([here.increment("z", 5), here.get("z")]);
    expect([first, second]).toEqual([undefined, 5]);
    expect(await there.reset("x")).toBe(true);
    expect(await there.reset("x")).toBe(false);
    expect(await here.get("x")).toBe(0);
  });

  it("an increment of a hot counter with an idempotency key is counted once", async () => {
    const name = randomName();
    const [here, there] = [both.a, both.b].map((hf) => hf.counter(name, { shards: 7 })) as [
      ShardedCounter,
      ShardedCounter,
    ];
    const keys = Array.from({ length: 20 }, (_, at) => ({ idempotencyKey: `k${at}` }));
    await Promise.all([...keys, ...keys].map((once, at) => (at % 2 === 0 ? here : there).increment("x", 3, once)));
    expect(await there.get("x")).toBe(60);
  });

  it("sums that no number holds are not added up", async () => {
    const counter = both.a.counter(randomName(), { shards: 2 });
    await Promise.all([
      counter.increment("x", Number.MAX_SAFE_INTEGER),
      counter.decrement("x", Number.MAX_SAFE_INTEGER),
    ]);
    expect(await counter.get("x")).toBe(0);
    const all = Array.from({ length: 3 }, () => counter.increment("y", Number.MAX_SAFE_INTEGER));
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toContain("rejected");
  });

  it("refuses what does not go together, by its field", async () => {
    const make = (options: unknown): unknown => both.a.counter("x", options as object);
    for (const other of [{ ttl: "1h" }, { min: -5 }, { max: 5 }, { windows: ["day"] }, { bigint: true }])
      expect(() => make({ shards: 4, ...other })).toThrow(
        new RegExp(`^counter "x": ${Object.keys(other)[0]}: .*shards`),
      );
    expect(() => make({ bigint: true, windows: ["day"] })).toThrow(/\bwindows: .*bigint/);
    expect(() => make({ bigint: true, max: 5 })).toThrow(/\bmax: .*bigint/);
    expect(() => make({ bigint: true, min: MIN - 1n })).toThrow(/\bmin: /);
    expect(() => make({ max: 5n })).toThrow(/\bmax: /);
    expect(() => make({ shards: 1 })).toThrow(/\bshards: /);
    for (const windows of [
      [],
      ["week"],
      ["day", "day"],
      "day",
      [{ per: "day", keep: 0 }],
      [{ per: "day", keep: 2_000 }],
    ])
      expect(() => make({ windows })).toThrow(/\bwindows(\.keep)?: /);
    const counter = both.a.counter("x", { windows: ["day"] });
    expect(() => counter.window("hour")).toThrow(/^counter "x": per: .*day/);
    expect(() => both.a.counter("x").window("hour")).toThrow(/\bper: .*windows/);
    await expect(counter.window("day").sum("x", { last: 32 })).rejects.toThrow(/\blast: /);
    await expect(counter.window("day").sum("")).rejects.toThrow(/\bid: /);
    const big = both.a.counter("x", { bigint: true });
    for (const by of [5, MIN, MAX + 1n]) await expect(big.increment("x", by as bigint)).rejects.toThrow(/\bby: /);
    const hot = both.a.counter("x", { shards: 2 });
    await expect(hot.increment("x", 0.5)).rejects.toThrow(/\bby: /);
    await expect(hot.increment("x", 1, { ttl: 5 } as never)).rejects.toThrow(/\bttl: /);
    await expect(hot.getMany("ab")).rejects.toThrow(/\bids: /);
  });
});

describe("counters of other kinds as time goes on", () => {
  let server: TestServer;
  let hf: Holdfast;
  beforeAll(async () => {
    server = await createTestServer({ clock: "virtual", startAt: new Date("2026-11-27T10:00:30Z") });
    hf = await server.connect();
  });
  afterAll(() => server?.close());

  it("sums by minute, hour and day are those of their periods, and expire", async () => {
    const windows = [{ per: "minute" as const, keep: 3 }, "hour" as const, "day" as const];
    const hits = hf.counter("hits", { windows, idleTtl: "1h" });
    for (const by of [1, 2, 4, 8]) {
      await hits.increment("x", by);
      await server.clock.advance("1m");
    }
    await hits.increment("x", 16);
    const at = (text: string): number => Date.parse(`2026-11-27T${text}Z`);
    expect(await hits.window("minute").values("x")).toEqual([
      { at: at("10:02:00"), value: 4 },
      { at: at("10:03:00"), value: 8 },
      { at: at("10:04:00"), value: 16 },
    ]);
    expect(await hits.window("minute").sum("x", { last: 2 })).toBe(24);
    expect(await hits.window("hour").sum("x", { last: 1 })).toBe(31);
    await server.clock.advance("3m"); // what is in the ring is older than what it keeps
    expect(await hits.window("minute").values("x")).toMatchObject([{ value: 0 }, { value: 0 }, { value: 0 }]);
    await server.clock.advance("2h");
    expect(await hits.get("x")).toBe(0);
    expect(await hits.window("hour").values("x", { last: 3 })).toMatchObject([
      { value: 31 },
      { value: 0 },
      { value: 0 },
    ]);
    await server.clock.advance("33d");
    const keys: string[] = [];
    for await (const page of hf.scan("counter:hits")) keys.push(...page);
    expect(keys).toEqual([]);
  });

  it("a hot counter that is hardly used stays whole: its shards expire together", async () => {
    const counter = hf.counter("rare", { shards: 8, idleTtl: "1h" });
    for (let round = 1; round <= 12; round += 1) {
      await counter.increment("x");
      expect(await counter.get("x")).toBe(round);
      await server.clock.advance("40m");
    }
    await server.clock.advance("30m");
    expect(await counter.get("x")).toBe(0);
  });
});
