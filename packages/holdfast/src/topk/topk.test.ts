/**
 * What could go wrong, and the test for each:
 * - a count is too low, too high by more than it says, or a frequent one is missing .. model.test.ts, "many members"
 * - windows, or their weights, are mixed up ........................................... "windows", "half-life"
 * - a repeat counts twice ............................................................. "idempotencyKey", faults.test.ts
 * - a list grows without limit, or a key stays for ever ............................... "never more than", "expires"
 * - old windows are shown for ever after a late addition .............................. "late"
 * - lists with other counters meet in one key ......................................... "counters"
 * - an evicted window takes the others with it ........................................ "evicted"
 */
import { describe, expect, it, vi } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { createTestServer } from "../testing/index.ts";
import type { TopKOptions } from "./options.ts";
import type { TopK } from "./topk.ts";

const HOUR = 3_600_000;

/** Evenly distributed, the same each time. */
function draws(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe.each(backends())("topk [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const pair = (options?: TopKOptions): [TopK, TopK] => {
    const name = randomName();
    return [both.a.topk(name, options), both.b.topk(name, options)];
  };
  const keys = (topk: TopK): Promise<string[]> => both.keys(`topk:{${topk.name}}`);
  const names = async (asked: Promise<{ member: string; count: number }[]>): Promise<unknown[]> =>
    (await asked).map(({ member, count }) => [member, count]);

  it("counts, whoever adds, in the same tick or not, and lists the most frequent", async () => {
    const [here, there] = pair({ k: 2 });
    await Promise.all(["a", "b", "a", "c", "a"].map((member) => here.add(member)));
    await there.add("b", 5);
    await there.add(7, 2);
    expect(await here.list()).toEqual([
      { member: "b", count: 6, error: 0 },
      { member: "a", count: 3, error: 0 },
    ]);
    expect(await names(there.list({ limit: 9 }))).toEqual([
      ["b", 6],
      ["a", 3],
      ["7", 2],
      ["c", 1],
    ]);
    expect(await here.counts(["a", 7, "none"])).toEqual(
      new Map<string | number, object>([
        ["a", { count: 3, error: 0 }],
        [7, { count: 2, error: 0 }],
        ["none", { count: 0, error: 0 }],
      ]),
    );
    expect(await here.counts([])).toEqual(new Map());
    await there.clear();
    expect(await here.list()).toEqual([]);
  });

  it("a new member of a full list takes the place and the count of the lowest; there are never more than `counters`", async () => {
    const [here, there] = pair({ k: 1, counters: 3 });
    await here.add("a", 10);
    await here.add("b", 4);
    await there.add("c", 2);
    expect((await here.list())[0]).toEqual({ member: "a", count: 10, error: 2 });
    await there.add("d");
    expect(await here.list({ limit: 3 })).toEqual([
      { member: "a", count: 10, error: 3 },
      { member: "b", count: 4, error: 3 },
      { member: "d", count: 3, error: 3 },
    ]);
    expect(await here.counts(["c"])).toEqual(new Map([["c", { count: 3, error: 3 }]]));
    for (let at = 0; at < 20; at += 1) await here.add(`other${at}`);
    expect(await both.send("ZCARD", (await keys(here))[0]!)).toBe(3);
  });

  it("windows are counted apart and together, and expire", async () => {
    const [here, there] = pair({ window: "1h", keep: 3 });
    const at = Math.floor(Date.now() / HOUR) * HOUR;
    await here.add("a", 5, { at: at - 2 * HOUR });
    await there.add("b", 3, { at: at - HOUR });
    await there.add("a", 1, { at });
    await here.add("b", 1, { at });
    expect(await here.add("a", 1, { at: at - 3 * HOUR })).toEqual({ status: "late" });
    expect(await names(here.list({ to: at }))).toEqual(
      [
        ["b", 1],
        ["a", 1],
      ].toReversed(),
    );
    expect(await names(here.list({ last: 2, to: at }))).toEqual([
      ["b", 4],
      ["a", 1],
    ]);
    expect(await names(there.list({ last: 3, to: at }))).toEqual([
      ["a", 6],
      ["b", 4],
    ]);
    expect(await there.counts(["a"], { last: 3, to: at })).toEqual(new Map([["a", { count: 6, error: 0 }]]));
    const all = await keys(here);
    expect(all).toHaveLength(3);
    expect(await Promise.all(all.map((key) => both.send("PEXPIRETIME", key)))).toEqual(
      [1, 2, 3].map((hours) => at + hours * HOUR),
    );
    await there.clear();
    expect(await keys(here)).toEqual([]);
  });

  it("half-life: a window counts half when it is so much older", async () => {
    const [here] = pair({ window: "1h" });
    const at = Math.floor(Date.now() / HOUR) * HOUR;
    await here.add("yesterday's", 100, { at: at - 6 * HOUR });
    await here.add("today's", 30, { at });
    expect(await names(here.list({ last: 7, to: at }))).toEqual([
      ["yesterday's", 100],
      ["today's", 30],
    ]);
    expect(await names(here.list({ last: 7, to: at, halfLife: "3h" }))).toEqual([
      ["today's", 30],
      ["yesterday's", 25],
    ]);
  });

  it("late additions of this process are in the next list", async () => {
    const [here] = pair({ window: "1h" });
    const at = Date.now();
    await here.add("a", 2, { at: at - 2 * HOUR });
    expect(await names(here.list({ last: 5, to: at }))).toEqual([["a", 2]]);
    await here.add("a", 1, { at: at - 3 * HOUR });
    expect(await names(here.list({ last: 5, to: at }))).toEqual([["a", 3]]);
  });

  it("an addition with an idempotencyKey counts once", async () => {
    const [here, there] = pair();
    const adding = [here, there, here].map((each) => each.add("a", 2, { idempotencyKey: "x" }));
    expect(await Promise.all(adding)).toEqual([1, 2, 3].map(() => ({ status: "ok" })));
    await here.add("a", 1, { idempotencyKey: "y" });
    expect(await names(here.list())).toEqual([["a", 3]]);
    for (const key of await keys(here)) expect(Number(await both.send("PTTL", key))).toBeGreaterThan(HOUR);
  });

  it("one without windows expires after its last addition; lists with other counters are others", async () => {
    const name = randomName();
    await both.a.topk(name, { ttl: "1h" }).add("a");
    const [key] = await both.keys(`topk:{${name}}`);
    await both.send("PEXPIRE", key!, "5000");
    await both.b.topk(name, { ttl: "1h" }).add("b");
    expect(Number(await both.send("PTTL", key!))).toBeGreaterThan(HOUR / 2);
    expect(await both.a.topk(name, { counters: 600 }).list()).toEqual([]);
  });

  it("an evicted window is empty, and the others are counted", async () => {
    const [here] = pair({ window: "1h" });
    const at = Date.now();
    await here.add("a", 2, { at: at - HOUR });
    await here.add("a", 5, { at });
    await both.send("DEL", (await keys(here))[0]!);
    expect(await names(here.list({ last: 2, to: at }))).toEqual([["a", 5]]);
  });
});

describe.each(backends("standalone", "embedded"))("topk of many members [$name]", (backend) => {
  const both = new TwoHandles(backend);

  it("many members, few of them frequent: the frequent ones are listed in their order", async () => {
    const topk = both.a.topk(randomName(), { k: 5 });
    const draw = draws(13);
    const truth = new Map<string, number>();
    const adds: Promise<unknown>[] = [];
    for (let at = 0; at < 8_000; at += 1) {
      // Zipf's law over 3,000 words: the n-th comes a n-th as often as the first.
      const word = `word${Math.floor(3_000 ** draw())}`;
      truth.set(word, (truth.get(word) ?? 0) + 1);
      adds.push(topk.add(word));
    }
    await Promise.all(adds);
    const expected = [...truth].toSorted(([, a], [, b]) => b - a).slice(0, 5);
    const found = await topk.list();
    expect(found.map(({ member }) => member)).toEqual(expected.map(([word]) => word));
    for (const { member, count, error } of found) {
      expect(count).toBeGreaterThanOrEqual(truth.get(member)!);
      expect(count - error).toBeLessThanOrEqual(truth.get(member)!);
      expect(error).toBeLessThanOrEqual(8_000 / 500);
    }
  });
});

describe("topk as time goes by", () => {
  it("rolls over, reads windows that are over once a minute, and leaves nothing", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const [hf, other] = [await server.connect(), await server.connect()];
    const options = { window: "1h", keep: 3 } as const;
    const topk = hf.topk("x", options);
    const start = Date.parse("2024-01-01T00:00:00Z");
    for (let hour = 0; hour < 3; hour += 1) {
      await topk.add("a");
      await server.clock.advance("1h");
    }
    await server.clock.advance("1m");
    expect((await topk.list({ last: 3 }))[0]!.count).toBe(2);
    await other.topk("x", options).add("a", 5, { at: start + HOUR });
    expect((await topk.list({ last: 3 }))[0]!.count).toBe(2);
    await server.clock.advance("61s");
    expect((await topk.list({ last: 3 }))[0]!.count).toBe(7);
    await server.clock.advance("4h");
    const left: string[] = [];
    for await (const page of hf.scan("topk:")) left.push(...page);
    expect(left).toEqual([]);
  });

  it("clear: no command is about very many windows", async () => {
    await using server = await createTestServer();
    const hf = await server.connect();
    const send = vi.spyOn(hf.driver, "send");
    await hf.topk("x", { window: "1m" }).clear();
    const unlinked = send.mock.calls.map(([args]) => args).filter(([name]) => name === "UNLINK");
    expect(unlinked.length).toBeGreaterThan(1);
    expect(Math.max(...unlinked.map(({ length }) => length - 1))).toBeLessThanOrEqual(512);
  });

  it("refuses what it cannot do, by name", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const hf = await server.connect();
    const wrong = [
      { k: 0 },
      { k: 5, counters: 4 },
      { counters: 2_001 },
      { k: 201 },
      { keep: 5 },
      { timeZone: "UTC" },
      { window: "1h", ttl: "1h" },
      { window: "1h", keep: 0 },
      { kk: 5 },
    ];
    for (const options of wrong) expect(() => hf.topk("x", options as TopKOptions)).toThrow(/^topk "x": /);
    const [plain, windowed] = [hf.topk("x"), hf.topk("x", { window: "1h" })];
    const calls = [
      () => plain.add(""),
      () => plain.add("a", 0),
      () => plain.add("a", 0.5),
      () => plain.add("a", 1, { at: 5 }),
      () => plain.add("a", 1, { idempotencyKey: "" }),
      () => plain.list({ last: 1 }),
      () => plain.list({ halfLife: "1h" }),
      () => plain.list({ limit: 501 }),
      () => windowed.list({ last: 25 }),
      () => windowed.list({ last: 2, halfLife: 0 }),
      () => windowed.add("a", 1, { at: Date.now() * 2 }),
      () => windowed.counts("abc"),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(/^topk "x": /);
  });
});
