/**
 * What could go wrong, and the test for each:
 * - what is counted is not what was added, in one window or in several ....... "counts members once", model.test.ts
 * - the estimate is another than the server's, sparse or dense ............... "as PFCOUNT"
 * - a member is lost or doubled where the list becomes a HyperLogLog ......... "one after the other"
 * - a window, or the days of a zone, begin at the wrong time ................. "windows begin"
 * - late and early additions, bounds, odd members and ids .................... "late", "odd", "refuses"
 * - a key stays for ever, or goes too early .................................. "expires", "with ttl", "rolls over"
 * - a foreign value is taken for uniques, or destroyed ....................... "a foreign value"
 * - a count has old windows for ever after a late addition ................... "late additions"
 * - a hash is listed twice, or found across two others ..................... "lists each hash once"
 * - an evicted window hides the others ....................................... "evicted"
 * (registers.test.ts: the error is larger than stated; faults.test.ts: lost answers and outages)
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { CodecError, InvalidArgumentError } from "../base/errors.ts";
import { createTestServer } from "../testing/index.ts";
import { runScript } from "../core/script/run.ts";
import type { UniquesOptions } from "./options.ts";
import { add } from "./scripts.gen.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const members = (count: number, from = 0): string[] => Array.from({ length: count }, (_, at) => `user:${from + at}`);
const exactly = (count: number): object => ({ count, exact: true, standardError: 0 });

describe.each(backends())("uniques [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const pair = (options?: UniquesOptions) => {
    const name = randomName();
    return [both.a.uniques(name, options), both.b.uniques(name, options)] as const;
  };
  const key = (name: string, id: string, at: number): string =>
    `${both.prefix}:uniques:${name}:{${id}}:day:${Math.floor(at / DAY)}`;

  it("counts members once, by id, in one window and in several", async () => {
    const [here, there] = pair();
    const now = Date.now();
    await here.add("home", ["ada", "bob", "ada", 7], { at: now });
    await there.add("home", "bob", { at: now });
    await there.add("home", ["bob", "eve"], { at: now - 2 * DAY });
    await there.add("shop", ["7", "eve"], { at: now });
    await here.add("shop", [], { at: now });
    expect(await here.count("home", { to: now })).toEqual(exactly(3));
    expect(await here.count("home", { last: 3, to: now })).toEqual(exactly(4));
    expect(await here.count(["home", "shop"], { to: now })).toEqual(exactly(4));
    expect(await there.countMany(["home", "shop", "none"], { last: 3, to: now })).toEqual(
      new Map([
        ["home", exactly(4)],
        ["shop", exactly(2)],
        ["none", exactly(0)],
      ]),
    );
    expect((await there.history("home", { last: 3, to: now })).map(({ count }) => count)).toEqual([2, 0, 3]);
    expect(await here.remove("home")).toBe(true);
    expect(await here.remove("home")).toBe(false);
    expect(await there.count("home", { last: 30 })).toEqual(exactly(0));
  });

  it("estimates as PFCOUNT does, sparse and dense, one and several", async () => {
    const [here] = pair();
    const now = Date.now();
    const sizes = [129, 600, 5_000];
    for (const [at, size] of sizes.entries()) await here.add("x", members(size, at * 400), { at: now - at * DAY });
    const keys = sizes.map((_, at) => key(here.name, "x", now - at * DAY));
    const answers = async (...keys: string[]): Promise<unknown> => both.send("PFCOUNT", keys[0]!, ...keys.slice(1));
    for (const [at, each] of keys.entries()) {
      const { count, exact, standardError } = await here.count("x", { to: now - at * DAY });
      expect([count, exact, standardError]).toEqual([await answers(each), false, 0.0081]);
      expect(Math.abs(count - sizes[at]!)).toBeLessThan(sizes[at]! * 0.03);
    }
    expect((await here.count("x", { last: 3, to: now })).count).toBe(await answers(...keys));
  });

  it("is the same one after the other, together, and across windows that list their members", async () => {
    const [here, there] = pair();
    const at = Date.now() - DAY;
    const all = members(140);
    for (const member of all) await (all.indexOf(member) % 2 === 0 ? here : there).add("slow", member, { at });
    await Promise.all(all.slice(0, 128).map((member) => here.add("fast", member, { at })));
    expect(await here.count("fast", { to: at })).toEqual(exactly(128));
    await there.add("fast", all.slice(100), { at });
    const slow = await here.count("slow", { to: at });
    expect(slow.exact).toBe(false);
    expect(await here.count("fast", { to: at })).toEqual(slow);
    await here.add("spread", all.slice(0, 130), { at });
    await here.add("spread", all.slice(120), { at: at - DAY });
    expect(await here.count("spread", { last: 2, to: at })).toEqual(slow);
    expect(Number(await both.send("STRLEN", key(here.name, "spread", at - DAY)))).toBe(8 + 20 * 8);
  });

  it("windows begin where the zone's days do, and a key expires when its window is no longer kept", async () => {
    const [here] = pair({ timeZone: "Asia/Tokyo", keep: 2 });
    // Nine hours ahead of UTC: its day begins at 15:00 of the day before.
    const start = Math.floor((Date.now() + 9 * HOUR) / DAY) * DAY - 9 * HOUR;
    await here.add("x", "late", { at: start - 1 });
    await here.add("x", "early", { at: start });
    const [before, today] = await here.history("x", { last: 2, to: start });
    expect([before!.count, today!.count, today!.at]).toEqual([1, 1, start]);
    expect(today!.name).toBe(new Date(start + 9 * HOUR).toISOString().slice(0, 10));
    expect(await here.count("x", { to: today!.name })).toEqual(exactly(1));
    const [first, second] = await both.keys(`uniques:${here.name}:`);
    expect(await both.send("PEXPIRETIME", first!)).toBe(start + DAY);
    expect(await both.send("PEXPIRETIME", second!)).toBe(start + 2 * DAY);
    await here.add("x", members(200), { at: start });
    expect(await both.send("PEXPIRETIME", second!)).toBe(start + 2 * DAY);
  });

  it("what is too late is refused as a value, what is too far ahead as a mistake", async () => {
    const [here] = pair({ keep: 2 });
    const now = Date.now();
    expect(await here.add("x", "a", { at: now - 3 * DAY })).toEqual({ status: "late" });
    expect(await here.add("x", "a", { at: now + DAY / 2 })).toEqual({ status: "ok" });
    await expect(here.add("x", "a", { at: now + 2 * DAY })).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(await both.keys(`uniques:${here.name}:`)).toHaveLength(1);
  });

  it("late additions to windows that are over are in the next count of the same process", async () => {
    const [here] = pair();
    const now = Date.now();
    for (const days of [2, 3, 4]) await here.add("x", `user:${days}`, { at: now - days * DAY });
    expect((await here.count("x", { last: 5, to: now })).count).toBe(3);
    await here.add("x", "somebody else", { at: now - 3 * DAY });
    expect((await here.count("x", { last: 5, to: now })).count).toBe(4);
    expect((await here.count("x", { last: 4, to: now })).count).toBe(3);
  });

  it("with ttl there is one count, which expires after the last addition", async () => {
    const [here, there] = pair({ ttl: "1h" });
    await here.add("post:1", members(100));
    const own = `${both.prefix}:uniques:${here.name}:{post:1}`;
    await both.send("PEXPIRE", own, "60000");
    await there.add("post:1", members(100, 50));
    expect(Number(await both.send("PTTL", own))).toBeGreaterThan(HOUR / 2);
    expect((await here.count("post:1")).exact).toBe(false);
    await expect(here.count("post:1", { last: 1 })).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(here.add("post:1", "x", { at: 5 })).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(here.history("post:1")).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(await there.remove("post:1")).toBe(true);
  });

  it("odd members and ids are each their own", async () => {
    const [here] = pair();
    const odd = ["{a}", "%", "a:b", "🛫", "ü", "u\u0308", "\0", " ", "constructor", -0.5, 1e21];
    for (const id of odd) await here.add(id, odd);
    expect(await here.countMany(odd)).toEqual(new Map(odd.map((id) => [id, exactly(odd.length)])));
  });

  it("a foreign value is neither taken for uniques nor destroyed", async () => {
    const [here] = pair();
    const at = Date.now();
    for (const [id, ...value] of [
      ["text", "SET", "hello there"],
      ["short", "SET", "u"],
      ["odd", "SET", "uniques1123"],
    ] as const) {
      const own = key(here.name, id, at);
      await both.send(value[0], own, value[1]);
      await expect(here.count(id, { to: at })).rejects.toBeInstanceOf(CodecError);
      expect(String(await both.send("GET", own))).toContain(value[1]);
    }
    for (const id of ["text", "short"]) await expect(here.add(id, "a", { at })).rejects.toBeInstanceOf(CodecError);
    await both.send("RPUSH", key(here.name, "list", at), "a");
    await expect(here.add("list", "a", { at })).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await both.send("SETRANGE", key(here.name, "broken", at), "0", "HYLL\x01aaaaaaaaaaaaaaaaaaaaa");
    await expect(here.count("broken", { to: at })).rejects.toBeInstanceOf(CodecError);
  });

  it("lists each hash once, and takes none for one that lies across two others", async () => {
    const window = `${both.prefix}:across`;
    const put = (hashes: string) => {
      const args = { hashes, expiresAt: Date.now() + DAY, ttlMs: 0 };
      return runScript(both.a.driver, add, { window }, args, { op: "test", key: "across" });
    };
    for (const hashes of ["abcdefghijklmnop", "efghijkl", "abcdefgh", "efghijklefghijkl"])
      expect(await put(hashes)).toEqual({ status: "ok" });
    expect(String(await both.send("GET", window))).toBe("uniques1abcdefghijklmnopefghijkl");
  });

  it("an evicted window is empty, and the others are counted", async () => {
    const [here] = pair();
    const at = Date.now();
    await here.add("x", ["a", "b"], { at });
    await here.add("x", ["b", "c"], { at: at - DAY });
    await both.send("DEL", key(here.name, "x", at));
    expect(await here.count("x", { last: 2, to: at })).toEqual(exactly(2));
    await here.add("x", "a", { at });
    expect(await here.count("x", { last: 2, to: at })).toEqual(exactly(3));
  });
});

describe("uniques as time goes by", () => {
  it("rolls over at the end of a window, forgets what is no longer kept, and leaves nothing", async () => {
    await using server = await createTestServer({ clock: "virtual", startAt: new Date("2026-03-27T12:00:00Z") });
    const hf = await server.connect();
    const uniques = hf.uniques("x", { keep: 3, timeZone: "Europe/Berlin" });
    const seen: number[][] = [];
    for (let half = 0; half < 10; half += 1) {
      await uniques.add("x", [`half:${half}`, "always"]);
      seen.push([(await uniques.count("x")).count, (await uniques.count("x", { last: 3 })).count]);
      await server.clock.advance("12h");
    }
    // From noon on; on the third day the clock is put forward, so from then on a half begins at 14:00 and at 2:00.
    expect(seen).toEqual([
      [2, 2],
      [2, 3],
      [3, 4],
      [2, 5],
      [3, 6],
      [2, 6],
      [3, 7],
      [2, 6],
      [3, 7],
      [2, 6],
    ]);
    await server.clock.advance("4d");
    const left: string[] = [];
    for await (const page of hf.scan("uniques:")) left.push(...page);
    expect(left).toEqual([]);
  });

  it("reads windows that are over once a minute", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const [hf, other] = [await server.connect(), await server.connect()];
    const now = Date.parse("2024-01-01T00:00:00Z") + HOUR;
    await server.clock.advance(HOUR);
    const uniques = hf.uniques("x");
    for (const days of [1, 2, 3]) await uniques.add("x", `user:${days}`, { at: now - days * DAY });
    expect((await uniques.count("x", { last: 4 })).count).toBe(3);
    await other.uniques("x").add("x", "late", { at: now - DAY });
    expect((await uniques.count("x", { last: 4 })).count).toBe(3);
    expect((await hf.uniques("x").count("x", { last: 4 })).count).toBe(3);
    await server.clock.advance("61s");
    expect((await uniques.count("x", { last: 4 })).count).toBe(4);
  });

  it("refuses what it cannot do, by name", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const hf = await server.connect();
    for (const options of [
      { keep: 0 },
      { keep: 1.5 },
      { window: "5h" },
      { timeZone: "Mars" },
      { ttl: 0 },
      { ttl: "1h", keep: 2 },
      { kep: 2 },
    ])
      expect(() => hf.uniques("x", options as UniquesOptions)).toThrow(/^uniques "x": /);
    const uniques = hf.uniques("x");
    const calls = [
      () => uniques.add("", "a"),
      () => uniques.add("x", [Number.NaN]),
      () => uniques.add("x", undefined as never),
      () => uniques.add("x", "a", { at: -1 }),
      () => uniques.count("x", { last: 31 }),
      () => uniques.count("x", { to: "yesterday" }),
      () => uniques.count(members(1_001)),
      () => uniques.count(members(1_000), { last: 30 }),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(/^uniques "x": /);
  });
});
