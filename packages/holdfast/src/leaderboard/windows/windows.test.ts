/**
 * What could go wrong, and the test for it:
 * - a write goes to one period and not to another, or to two of one window ........ "every write is for", model below
 * - a day is not the zone's, or not 23 hours long .................................. "a day of a time zone"
 * - a process whose idea of the time is wrong writes into a period that is over ..... "the server's time decides"
 * - a period never ends, or ends while it is to be read ............................ "expire"
 * - nobody is told of a period, or two are, or one is twice ........................ "one of them is told", "threw", "died"
 * - one of its keys is evicted ..................................................... "an evicted key"
 * - a period is closed again when its archive has expired ........................... "told once"
 * - a short one that ended some periods ago is forgotten, a short month too early ... "some periods ago", "as many periods"
 * - it runs though it was ended before ............................................. "does not begin"
 * - options that do not fit ........................................................ "refuses"
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import type { Reply } from "../../driver/port.ts";
import type { Holdfast } from "../../holdfast.ts";
import { createTestServer, type TestServer } from "../../testing/index.ts";
import type { Leaderboard } from "../leaderboard.ts";
import type { LeaderboardOptions } from "../options.ts";
import { set } from "../scripts.gen.ts";
import type { LeaderboardClosing } from "./closing.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const at = (text: string): number => Date.parse(text);
const names = (entries: readonly { readonly member: string }[]): string => entries.map(({ member }) => member).join("");

describe.each(backends("standalone", "cluster", "embedded"))("windows of a leaderboard [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const { prefix } = both;
  const pair = (settings: LeaderboardOptions): [Leaderboard, Leaderboard] => {
    const name = randomName();
    return [both.a.leaderboard(name, settings), both.b.leaderboard(name, settings)];
  };

  it("every write is for the board and for the present period of each window", async () => {
    const season = { name: "season", starts: [at("2020-01-01"), at("2120-01-01")] };
    const [here, there] = pair({ windows: ["day", season, { name: "past", starts: [0, DAY] }], ties: "dense" });
    const calls = [
      here.set("a", 5),
      here.increment("b", 3),
      here.best("c", 9),
      there.increment("b", 4, { idempotencyKey: "k" }),
    ];
    await Promise.all(calls);
    await there.increment("b", 4, { idempotencyKey: "k" });
    await here.set("d", 1);
    expect(await there.remove("d")).toBe(true);
    await here.setMany([
      ["e", 2],
      ["f", 2],
    ]);
    for (const board of [there, there.window("day"), there.window("season")]) {
      expect(names(await board.top())).toBe("cbafe");
      expect(await board.rank("e")).toMatchObject({ score: 2, rank: 4, total: 5 });
      expect(await board.around("a", 1)).toHaveLength(3);
      expect(await board.size()).toBe(5);
      expect(await board.count({ min: 5 })).toBe(3);
      expect(await board.scoreAt(100)).toBe(9);
      expect(names(await board.among(["a", "c"]))).toBe("ca");
    }
    for (const board of [there.window("past"), there.window("day", { ago: 1 })]) {
      expect(await board.top()).toEqual([]);
      expect([await board.rank("a"), await board.size(), await board.scoreAt(5)]).toEqual([undefined, 0, undefined]);
    }
    await there.clear();
    expect(await here.window("season").size()).toBe(0);
  });

  it("the server's time decides: a write for periods of another time does nothing, and says what time it is", async () => {
    const [here] = pair({ windows: ["day"] });
    const key = `${prefix}:leaderboard:{${here.name}}`;
    const write = (windows: string): Promise<Reply> =>
      both.a.driver.script(
        set,
        [key, `${key}:distinct`, `${key}:meta`, `${key}:w`, `${key}:w:distinct`],
        ["9", "1", "0", "0", "0", windows, "2", "5", "m"],
        { op: "test", class: "idempotent" },
      );
    const [status, now] = (await write("0 1000;0 1000 2000;")) as [Buffer, number];
    expect(String(status)).toBe("stale");
    expect(now).toBeGreaterThan(at("2020-01-01"));
    expect(await both.keys(`leaderboard:{${here.name}}`)).toEqual([]);
    await write(`0 ${now + DAY};0 1000 2000;`);
    expect(await both.keys(`leaderboard:{${here.name}}`)).toEqual([key]);
  });

  it("refuses what does not fit, by its field", async () => {
    const make = (options: unknown): Leaderboard => both.a.leaderboard("x", options as LeaderboardOptions);
    const bad: [unknown, RegExp][] = [
      [[], /\bwindows: /],
      ["day", /\bwindows: /],
      [["day", "day"], /\bwindows: /],
      [["century"], /\bwindow: /],
      [["30s"], /\bwindows: /],
      [[60_000], /\bwindows.name: /],
      [[{ name: "a b", every: "1h" }], /\bwindows.name: /],
      [[{ name: "a" }], /\bwindows: /],
      [[{ name: "a", every: "day", starts: [0, DAY] }], /\bwindows: /],
      [[{ name: "a", starts: [0] }], /\bwindows.starts: /],
      [[{ name: "a", starts: [DAY, 0] }], /\bwindows.starts: /],
      [[{ every: "day", keep: 0 }], /\bwindows.keep: /],
      [[{ evry: "day" }], /\bevry: /],
    ];
    for (const [windows, message] of bad) expect(() => make({ windows })).toThrow(message);
    expect(() => make({ windows: ["day"], timeZone: "Mars" })).toThrow(/\btimeZone: /);
    expect(() => make({ timeZone: "UTC" })).toThrow(/\btimeZone: /);
    expect(() => make({ archive: { top: 5 } })).toThrow(/\barchive: /);
    expect(() => make({ windows: ["day"], archive: { top: 0 } })).toThrow(/\barchive.top: /);
    const board = make({ windows: ["day"] });
    expect(() => board.window("week")).toThrow(/^leaderboard "x": name: .*day/);
    expect(() => board.window("day", { ago: -1 })).toThrow(/\bago: /);
    expect(() => make({}).window("day")).toThrow(/\bwindows: /);
    expect(() => make({}).onClosed(() => undefined)).toThrow(/\bwindows: /);
    expect(() => board.onClosed(5 as never)).toThrow(/\bhandler: /);
    expect(() => board.onClosed(() => undefined, { lease: 5 })).toThrow(/\blease: /);
  });
});

describe("windows of a leaderboard as time goes on", () => {
  const begun = at("2026-03-27T12:00:00Z");
  let server: TestServer;
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(async () => {
    server = await createTestServer({ clock: "virtual", startAt: new Date(begun) });
    [a, b] = [await server.connect(), await server.connect()];
  });
  afterAll(() => server?.close());

  const until = (text: string): Promise<void> => server.clock.advance(at(text) - server.clock.now());
  const keysOf = async (name: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of a.scan(`leaderboard:{${name}}`)) found.push(...page);
    return found.toSorted();
  };

  it("a day of a time zone is 23 hours long where its clock goes forward, and the day before can still be read", async () => {
    const board = a.leaderboard("berlin", { windows: ["day", "week"], timeZone: "Europe/Berlin" });
    const other = b.leaderboard("berlin", { windows: ["day", "week"], timeZone: "Europe/Berlin" });
    await until("2026-03-28T22:59:59.500Z");
    await board.increment("sat");
    await until("2026-03-28T23:00:00Z");
    await other.increment("sun");
    expect(await board.window("day").period()).toEqual({ from: at("2026-03-28T23:00Z"), to: at("2026-03-29T22:00Z") });
    expect(names(await other.window("day", { ago: 1 }).top())).toBe("sat");
    await until("2026-03-29T21:59:59.500Z");
    await board.increment("sun");
    expect(await other.window("day").top()).toEqual([{ member: "sun", score: 2, rank: 1 }]);
    await until("2026-03-29T22:00:00Z");
    await other.increment("mon");
    expect(names(await board.window("day").top())).toBe("mon");
    expect(names(await board.window("week").top())).toBe("mon");
    expect(names(await board.window("week", { ago: 1 }).top())).toBe("sunsat");
    expect(names(await board.top())).toBe("sunsatmon");
  });

  it("periods that are over expire, and what was kept of them later", async () => {
    const board = a.leaderboard("short", {
      windows: [{ every: "1h", keep: 1 }],
      archive: { top: 1, keep: "1d" },
      ties: "dense",
    });
    await board.set("x", 1);
    await board.set("y", 2);
    const first = board.window("1h");
    const { to } = (await first.period())!;
    expect(await first.archive()).toBeUndefined();
    await server.clock.advance(to - server.clock.now());
    await b.leaderboard("short", { windows: [{ every: "1h", keep: 1 }], archive: { top: 1, keep: "1d" } }).set("z", 3);
    expect(await board.window("1h", { ago: 1 }).archive()).toMatchObject({
      total: 2,
      entries: [{ member: "y", score: 2, rank: 1 }],
    });
    await server.clock.advance(HOUR + 1);
    expect(await board.window("1h", { ago: 2 }).top()).toEqual([]);
    expect(await board.window("1h", { ago: 2 }).archive()).toMatchObject({ window: "1h", to, total: 2 });
    expect(await board.window("1h", { ago: 3 }).archive()).toBeUndefined();
    await server.clock.advance(2 * DAY);
    await board.clear();
    expect(await keysOf("short")).toEqual([]);
  });

  it("of those that wait for it one is told of a period, with the best of it; also of one that ended while nobody was there", async () => {
    const options = { windows: ["1h" as const], archive: { top: 2 }, subscore: { max: 9 } };
    const [here, there] = [a.leaderboard("told", options), b.leaderboard("told", options)];
    await here.setMany([
      ["x", 1, { subscore: 5 }],
      ["y", 1, { subscore: 6 }],
      ["z", 0, { subscore: 6 }],
    ]);
    const { from, to } = (await here.window("1h").period())!;
    await server.clock.advance(to - server.clock.now() + 60_000);
    const told: LeaderboardClosing[] = [];
    await using _one = here.onClosed((closing) => void told.push(closing));
    await using _two = there.onClosed((closing) => void told.push(closing));
    await server.clock.advance("1m");
    expect(told).toEqual([
      {
        id: `told:1h:${from}:${to}`,
        window: "1h",
        from,
        to,
        total: 3,
        entries: [
          { member: "y", score: 1, subscore: 6, rank: 1 },
          { member: "x", score: 1, subscore: 5, rank: 2 },
        ],
      },
    ]);
    await there.set("x", 3, { subscore: 0 });
    await server.clock.advance("1h");
    expect(told.map((closing) => [closing.from, names(closing.entries)])).toEqual([
      [from, "yx"],
      [to, "x"],
    ]);
    await server.clock.advance("1h");
    expect(told).toHaveLength(2);
  });

  it("a handler that threw is told again, and whoever died with one is followed by another", async () => {
    const board = a.leaderboard("again", { windows: ["1h"] });
    await board.set("x", 1);
    await server.clock.advance("1h");
    let calls = 0;
    const errors: unknown[] = [];
    const failing = board.onClosed(() => Promise.reject(new Error(`boom ${(calls += 1)}`)), {
      retry: "5m",
      onError: (error) => errors.push(error),
    });
    await server.clock.advance("2m");
    await failing.close();
    expect(errors).toMatchObject([{ message: "boom 1" }]);
    const dying = await server.connect();
    let reached = false;
    const hanging = dying.leaderboard("again", { windows: ["1h"] }).onClosed(() => {
      reached = true;
      return new Promise<never>(() => undefined);
    });
    await server.clock.advance("6m");
    expect(reached).toBe(true);
    const told: string[] = [];
    await using _other = b.leaderboard("again", { windows: ["1h"] }).onClosed(({ window }) => void told.push(window));
    await server.clock.advance("10m");
    expect(told).toEqual([]); // the one that has it renews its lease
    const closing = hanging.close();
    await server.clock.advance("1m");
    await closing;
    await server.clock.advance("2m");
    expect(told).toEqual(["1h"]);
  });

  it("of a period is told once, also where its archive is kept for less long than the period itself", async () => {
    const options = { windows: [{ every: "1h" as const, keep: 5 }], archive: { keep: "10m" as const } };
    const board = a.leaderboard("brief", options);
    await board.set("x", 1);
    const told: string[] = [];
    const first = board.onClosed(({ id }) => void told.push(id));
    await server.clock.advance("1h");
    await first.close();
    expect(told).toHaveLength(1);
    await server.clock.advance("11m");
    await using _second = b.leaderboard("brief", options).onClosed(({ id }) => void told.push(id));
    await server.clock.advance("1m");
    expect(told).toHaveLength(1);
  });

  it("is told of a short period that ended some periods ago, while it is kept", async () => {
    await a.leaderboard("quiet", { windows: ["5m"] }).set("x", 1);
    await server.clock.advance("40m");
    const told: string[] = [];
    await using _runner = b.leaderboard("quiet", { windows: ["5m"] }).onClosed(({ id }) => void told.push(id));
    await server.clock.advance("1m");
    expect(told).toHaveLength(1);
  });

  it("does not begin where its signal has fired before, or its handle was closed", async () => {
    const board = a.leaderboard("never", { windows: ["1h"] });
    await board.set("x", 1);
    await server.clock.advance("1h");
    const told: string[] = [];
    const late = { signal: AbortSignal.abort() };
    await using _ended = board.onClosed(({ id }) => void told.push(id), late);
    await server.clock.advance("1m");
    expect(told).toEqual([]);
    const hf = await server.connect();
    const closed = hf.leaderboard("never", { windows: ["1h"] });
    await hf.close();
    expect(() => closed.onClosed(() => undefined)).toThrow(/closed/);
  });

  it.each(["closed", "due", "archive", "total", "board", "distinct"])("an evicted key: %s", async (which) => {
    const name = `evicted-${which}`;
    const board = a.leaderboard(name, { windows: ["1h"], ties: "dense" });
    await board.set("x", 1);
    const { from, to } = (await board.window("1h").period())!;
    await server.clock.advance(to - server.clock.now() + 1);
    const last = board.window("1h", { ago: 1 });
    expect(await last.archive()).toMatchObject({ total: 1 });
    const key = `hf:leaderboard:{${name}}`;
    const keys = {
      closed: `${key}:closed`,
      due: `${key}:due`,
      archive: `${key}:archive:1h:${from}`,
      total: `${key}:archive:1h:${from}:total`,
      board: `${key}:window:1h:${from}`,
      distinct: `${key}:window:1h:${from}:distinct`,
    };
    const gone = keys[which as keyof typeof keys];
    expect(await a.driver.send(["DEL", gone], { op: "test", class: "unsafe" }, gone)).toBe(1);
    expect(await last.archive()).toMatchObject({ total: 1, entries: [{ member: "x", rank: 1 }] });
    expect(await last.scores(["x"])).toEqual(which === "board" ? new Map() : new Map([["x", 1]]));
    const told: string[] = [];
    await using _runner = b.leaderboard(name, { windows: ["1h"] }).onClosed(({ id }) => void told.push(id));
    await server.clock.advance("1m");
    expect(told).toHaveLength(which === "due" ? 0 : 1);
  });
});

it("as many periods of a leaderboard can be read as are kept, also where those behind one are longer", async () => {
  await using server = await createTestServer({ clock: "virtual", startAt: new Date("2027-02-10T12:00:00Z") });
  const hf = await server.connect();
  const until = (text: string): Promise<void> => server.clock.advance(at(text) - server.clock.now());
  const season = { name: "season", starts: ["2027-02-01", "2027-03-01", "2027-12-01"].map(at), keep: 1 };
  const board = hf.leaderboard("months", { windows: ["month", season] });
  await board.set("x", 1);
  await until("2027-04-30T12:00:00Z");
  expect(names(await board.window("month", { ago: 2 }).top())).toBe("x");
  expect(names(await board.window("season", { ago: 1 }).top())).toBe("x");
  await until("2027-05-01T00:00:01Z");
  expect(names(await board.window("month", { ago: 3 }).top())).toBe("");
});
