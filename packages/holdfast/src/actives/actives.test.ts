/**
 * What could go wrong, and the test for each:
 * - a user counts twice, or as somebody else ............................. "counts users once", model.test.ts
 * - days are those of another zone, or keys expire at the wrong time ...... "days are those of the zone"
 * - the list of users goes before the days that need it ................... "lasts as long"
 * - there are more users than there may be ................................ "limit"
 * - cohorts are counted against the wrong days ............................ "cohorts", model.test.ts
 * - what is left after an eviction is taken for other users ............... "evicted"
 * - a window takes twice its memory ....................................... "one bit"
 * - a mark brings back a key that has expired, for ever ................. "no longer kept"
 * - a command is as long as there are windows, or large users .......... "no command"
 * - a mark whose answer was lost counts twice, or as none ................. "a lost answer"
 */
import { describe, expect, it, vi } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { createTestServer } from "../testing/index.ts";
import type { Actives } from "./actives.ts";
import type { ActivesOptions } from "./options.ts";

const DAY = 86_400_000;
const users = (count: number, from = 0): string[] => Array.from({ length: count }, (_, at) => `user:${from + at}`);

describe.each(backends())("actives [$name]", (backend) => {
  const twice = new TwoHandles(backend);
  const pair = (options?: ActivesOptions): [Actives, Actives] => {
    const name = randomName();
    return [twice.a.actives(name, options), twice.b.actives(name, options)];
  };
  const keys = async (actives: Actives, part: string): Promise<string[]> =>
    (await twice.keys(`actives:{${actives.name}`)).filter((key) => key.includes(part));

  it("counts users once, on a day, on several, on each of several", async () => {
    const [here, there] = pair();
    const now = Date.now();
    await Promise.all(["ada", "bob", "ada"].map((user) => here.mark(user, { at: now })));
    expect(await there.mark("ada", { at: now })).toEqual({ status: "ok" });
    await there.markMany(["bob", "eve", 7], { at: now - DAY });
    await there.mark("7", { at: now - DAY });
    await there.markMany([], { at: now });
    await here.mark("bob", { at: now - 3 * DAY });
    expect(await here.count({ to: now })).toBe(2);
    expect(await here.count({ last: 2, to: now })).toBe(4);
    expect((await there.history({ last: 4, to: now })).map(({ count }) => count)).toEqual([1, 0, 3, 2]);
    expect(await here.union([now, now - 3 * DAY])).toBe(2);
    expect(await here.intersection([now, now - DAY])).toBe(1);
    expect(await here.intersection([now, now - DAY, now - 2 * DAY])).toBe(0);
    expect(await here.intersection([new Date(now), now])).toBe(2);
    await there.clear();
    expect(await here.count({ last: 30 })).toBe(0);
    expect(await twice.keys(`actives:{${here.name}`)).toEqual([]);
  });

  it("cohorts: how many came back, of all and of those who were new", async () => {
    const [here, there] = pair({ partitions: 4 });
    const now = Date.now();
    const on = (daysAgo: number, ...who: string[]): Promise<unknown> =>
      there.markMany(who, { at: now - daysAgo * DAY });
    await on(4, "old");
    await on(3, "old", "a", "b", "c");
    await on(2, "a", "d");
    await on(1, "a", "b");
    const table = async (of: "active" | "new"): Promise<unknown> =>
      (await here.retention({ from: now - 3 * DAY, windows: 10, of })).map(({ users: size, active }) => [
        size,
        ...active,
      ]);
    expect(await table("active")).toEqual([
      [4, 4, 1, 2, 0],
      [2, 2, 1, 0],
      [2, 2, 0],
      [0, 0],
    ]);
    expect(await table("new")).toEqual([
      [3, 3, 1, 2, 0],
      [1, 1, 0, 0],
      [0, 0, 0],
      [0, 0],
    ]);
    const [first] = await here.retention({ from: now - 3 * DAY, windows: 1 });
    expect(first).toEqual({
      name: new Date(now - 3 * DAY).toISOString().slice(0, 10),
      at: Math.floor(now / DAY) * DAY - 3 * DAY,
      users: 4,
      active: [4],
    });
    expect(await here.retention({ from: now + 2 * DAY, windows: 3 })).toEqual([]);
  });

  it("days are those of the zone, and are named by their dates", async () => {
    const [here] = pair({ timeZone: "Asia/Tokyo", keep: 2, partitions: 1 });
    const start = Math.floor((Date.now() + 9 * 3_600_000) / DAY) * DAY - 9 * 3_600_000;
    const date = new Date(start + DAY / 2).toISOString().slice(0, 10);
    await here.mark("before", { at: start - 1 });
    await here.mark("after", { at: start });
    expect(await here.mark("too early", { at: start - 2 * DAY })).toEqual({ status: "late" });
    expect([await here.count({ to: date }), await here.union([date]), await here.count({ last: 2, to: date })]).toEqual(
      [1, 1, 2],
    );
    const expiries = await Promise.all((await keys(here, ":day@")).map((key) => twice.send("PEXPIRETIME", key)));
    expect(expiries).toEqual([start + DAY, start + 2 * DAY]);
  });

  it("the list of users lasts as long as the last day on which one of them was active", async () => {
    const [here] = pair({ partitions: 1 });
    const now = Date.now();
    await here.mark("ada", { at: now });
    await here.mark("ada", { at: now - 5 * DAY });
    const [today] = (await keys(here, ":day:")).toReversed();
    const expiry = await twice.send("PEXPIRETIME", today!);
    for (const key of [...(await keys(here, ":meta")), ...(await keys(here, ":users:"))])
      expect(await twice.send("PEXPIRETIME", key)).toBe(expiry);
  });

  it("limit: a new user is refused, one who is known is not; the limit may be raised", async () => {
    const name = randomName();
    const few = twice.a.actives(name, { maxUsers: 3, partitions: 1 });
    const at = Date.now();
    expect(await few.markMany(users(3), { at })).toEqual({ status: "ok" });
    expect(await few.mark("one more", { at })).toEqual({ status: "limit" });
    expect(await few.markMany(users(4), { at: at - DAY })).toEqual({ status: "limit" });
    expect((await few.history({ last: 2, to: at })).map(({ count }) => count)).toEqual([3, 3]);
    const more = twice.b.actives(name, { maxUsers: 4, partitions: 1 });
    expect(await more.mark("one more", { at })).toEqual({ status: "ok" });
    expect(await few.count({ to: at })).toBe(4);
  });

  it("one bit for each user and day, eleven bytes for each user", async () => {
    const [here] = pair({ partitions: 1 });
    const at = Date.now();
    await here.markMany(users(400), { at });
    await here.markMany(users(1), { at: at - DAY });
    expect(await here.count({ to: at })).toBe(400);
    const lengths = await Promise.all((await keys(here, ":day:")).map((key) => twice.send("STRLEN", key)));
    expect(lengths).toEqual([8 + 50, 8 + 50]);
    const lists = await keys(here, ":users:");
    const sizes = await Promise.all(lists.map((key) => twice.send("STRLEN", key)));
    expect(sizes.reduce<number>((sum, size) => sum + Number(size), 0)).toBe(lists.length * 8 + 11 * 400);
  });

  it("whichever key is evicted, no user is taken for another", async () => {
    const at = Date.now();
    for (const [part, today, both] of [
      ["meta", 2, 0],
      [":day:", 2, 0],
      [":users:", 4, 2],
    ] as const) {
      const [here] = pair({ partitions: 1 });
      await here.markMany(["a", "b", "c"], { at: at - DAY });
      await here.markMany(["a", "b"], { at });
      for (const key of await keys(here, part)) await twice.send("DEL", key);
      // They come in another order, so that their places would be those of others.
      await here.markMany(["d", "a"], { at });
      expect([part, await here.count({ to: at })]).toEqual([part, today]);
      expect([part, await here.intersection([at, at - DAY])]).toEqual([part, both]);
      expect(await here.union([at, at - DAY])).toBeGreaterThanOrEqual(2);
      const [cohort] = await here.retention({ from: at - DAY, windows: 2 });
      expect([part, cohort!.active[1]]).toEqual([part, both]);
    }
  });
});

describe("actives as time goes by", () => {
  it("days roll over, a day of 23 hours is one, and nothing is left in the end", async () => {
    await using server = await createTestServer({ clock: "virtual", startAt: new Date("2026-03-27T22:30:00Z") });
    const hf = await server.connect();
    const actives = hf.actives("x", { keep: 4, timeZone: "Europe/Berlin", partitions: 2 });
    for (let hour = 0; hour < 72; hour += 6) {
      await actives.mark(`hour:${hour}`);
      await server.clock.advance("6h");
    }
    // From 23:30 on the 27th; on the 29th the clock is put forward.
    expect((await actives.history({ last: 4 })).map(({ name, count }) => [name, count])).toEqual([
      ["2026-03-28", 4],
      ["2026-03-29", 3],
      ["2026-03-30", 4],
      ["2026-03-31", 0],
    ]);
    await server.clock.advance("5d");
    const left: string[] = [];
    for await (const page of hf.scan("actives:")) left.push(...page);
    expect(left).toEqual([]);
  });

  it("a mark that comes when its day is no longer kept leaves nothing", async () => {
    await using server = await createTestServer({ clock: "virtual", startAt: new Date("2026-01-01T23:59:59.900Z") });
    const hf = await server.connect();
    const actives = hf.actives("x", { keep: 1, partitions: 1 });
    await actives.count();
    const slow = server.faults.delay(200);
    const marking = actives.mark("a");
    await server.clock.advance("500ms");
    expect(await marking).toEqual({ status: "late" });
    slow.heal();
    const left: string[] = [];
    for await (const page of hf.scan("actives:")) left.push(...page);
    expect(left).toEqual([]);
  });

  it("no command is about very many windows, or reads very many bytes", async () => {
    await using server = await createTestServer();
    const hf = await server.connect();
    const send = vi.spyOn(hf.driver, "send");
    await hf.actives("x", { window: "1m", partitions: 1 }).clear();
    await hf.actives("y", { maxUsers: 8_000_000, partitions: 1 }).count({ last: 2 });
    const sent = (command: string): number[] =>
      send.mock.calls
        .map(([args]) => args)
        .filter(([name]) => name === command)
        .map(({ length }) => length - 1);
    expect(sent("UNLINK").length).toBeGreaterThan(1);
    expect(Math.max(...sent("UNLINK"))).toBeLessThanOrEqual(512);
    expect(sent("MGET")).toEqual([1, 1]);
  });

  it("a lost answer is asked for again, and the user counts once", async () => {
    await using server = await createTestServer();
    const hf = await server.connect();
    const actives = hf.actives("x");
    await actives.mark("a");
    server.faults.dropReplies();
    expect(await actives.mark("b")).toEqual({ status: "ok" });
    server.faults.dropRequests();
    expect(await actives.mark("c")).toEqual({ status: "ok" });
    expect(await actives.count()).toBe(3);
  });

  it("while the server stands still every call settles by its deadline", async () => {
    await using server = await createTestServer();
    const hf = await server.connect();
    await hf.actives("x").mark("a");
    const actives = hf.actives("x", { timeout: 50 });
    using _ = server.faults.pause();
    const calls = [
      actives.mark("b"),
      actives.count(),
      actives.history(),
      actives.union([5]),
      actives.intersection([5]),
      actives.retention({ from: Date.now(), windows: 1 }),
      actives.clear(),
    ];
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
  });

  it("refuses what it cannot do, by name", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const hf = await server.connect();
    const wrong = [
      { keep: 0 },
      { keep: 1_001 },
      { window: "5h" },
      { timeZone: "Mars" },
      { maxUsers: 0 },
      { maxUsers: 2e8 },
      { partitions: 0 },
      { maxUsers: 1e8, partitions: 1 },
      { user: 1 },
    ];
    for (const options of wrong) expect(() => hf.actives("x", options as ActivesOptions)).toThrow(/^actives "x": /);
    const actives = hf.actives("x");
    const calls = [
      () => actives.mark(""),
      () => actives.markMany("abc"),
      () => actives.mark("a", { at: Number.NaN }),
      () => actives.mark("a", { at: Date.now() * 2 }),
      () => actives.count({ last: 91 }),
      () => actives.count({ to: "2026-02-30" }),
      () => actives.union([]),
      () => actives.union(["today"]),
      () => actives.retention({ from: 0, windows: 0 }),
      () => actives.retention({ from: 0, windows: 5, of: "old" as never }),
    ];
    for (const call of calls) await expect(call()).rejects.toThrow(/^actives "x": /);
  });
});
