// What could go wrong, and the test that watches it:
// - a member that has expired is shown, or takes the place of one that is there ... "what has expired"
// - many that have expired make one script long, or a search short ................ "more have expired than one script removes"
// - positions whose ends were lost are never over ................................ "an index that lost one of its keys"
// - a search around a missing member is a server error .......................... "a missing member at the centre"
// - the member in the centre is its own nearest ................................. "around a member"
// - a search beyond 180 degrees or with growing circles misses one .............. model.test.ts, search/search.test.ts
// - fields outlive their member, come back with another, or are lost unseen ...... "fields go with their member", "without its key %s"
// - a condition takes another value for its own .................................. "where"
// - pages repeat or lose a member ................................................. "page"
// - calls made in the same tick are reordered, or one fails all ............ "calls that are not awaited"
// - a key without a time to live ................................................. "each add starts the time to live again"
// (faults.test.ts: lost replies and outages)
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { GeoWhere } from "./fields.ts";
import type { Geo, GeoAddOptions } from "./geo.ts";
import type { GeoOptions } from "./options.ts";
import type { GeoPoint } from "../core/earth/point.ts";

const bad = (field: string): unknown => expect.objectContaining({ name: "InvalidArgumentError", field });
const names = (matches: readonly { member: string }[] | undefined): string[] | undefined =>
  matches?.map(({ member }) => member);

const AIRPORTS: readonly (readonly [string, GeoPoint])[] = [
  ["SFO", { lon: -122.374843, lat: 37.619002 }],
  ["OAK", { lon: -122.220722, lat: 37.721291 }],
  ["SJC", { lon: -121.927775, lat: 37.36186 }],
  ["LAX", { lon: -118.407444, lat: 33.942536 }],
  ["JFK", { lon: -73.778926, lat: 40.639751 }],
];

describe.each(backends())("geo [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const { prefix, send: raw } = both;

  /** The same index as two processes see it. */
  function pair(settings: GeoOptions = {}): [Geo, Geo] {
    const name = randomName();
    return [both.a.geo(name, settings), both.b.geo(name, settings)];
  }

  const placesOf = (geo: Geo): string => `${prefix}:geo:{${geo.name}}`;
  const endsOf = (geo: Geo): string => `${placesOf(geo)}:ends`;
  /** As if the ttl of these members had passed. */
  const end = (geo: Geo, ...members: string[]): Promise<unknown> =>
    raw("ZADD", endsOf(geo), ...members.flatMap((member) => ["1", member]));

  it("add, position, distance, size and remove", async () => {
    const [here, there] = pair();
    expect(await here.position("SFO")).toBeUndefined();
    expect(await here.size()).toBe(0);
    await here.addMany(AIRPORTS);
    expect(await there.size()).toBe(5);
    const position = await there.position("SFO");
    expect(position!.lon).toBeCloseTo(-122.374843, 5);
    expect(position!.lat).toBeCloseTo(37.619002, 5);
    expect(await there.distance("SFO", "LAX")).toBeCloseTo(543_300, -3);
    expect(await there.distance("SFO", "none")).toBeUndefined();
    expect(await there.distance("none", "SFO")).toBeUndefined();
    expect(await there.remove("SFO")).toBe(true);
    expect(await here.remove("SFO")).toBe(false);
    expect(await here.position("SFO")).toBeUndefined();
    expect(await here.size()).toBe(4);
  });

  it("an add moves a member", async () => {
    const [here, there] = pair();
    await here.add(7, { lon: 10, lat: 10 });
    await there.add("7", { lon: -10, lat: -10 });
    expect((await here.position(7))!.lon).toBeCloseTo(-10, 4);
    expect(await here.size()).toBe(1);
  });

  it("positions returns those that are there", async () => {
    const [here, there] = pair();
    await here.addMany(AIRPORTS);
    await end(here, "LAX");
    const found = await there.positions(["SFO", "none", "LAX", "JFK", "SFO"]);
    expect([...found.keys()]).toEqual(["SFO", "JFK"]);
    expect(found.get("JFK")!.lat).toBeCloseTo(40.639751, 5);
  });

  it("nearest, radius and box around a point, the nearest first", async () => {
    const [here] = pair();
    await here.addMany(AIRPORTS);
    const center = { lon: -122.4194, lat: 37.7749 };
    const matches = await here.nearest(center, { count: 2 });
    expect(names(matches)).toEqual(["SFO", "OAK"]);
    expect(matches[0]!.meters).toBeCloseTo(17_790, -2);
    expect(matches[0]!.lon).toBeCloseTo(-122.374843, 5);
    expect(names(await here.nearest(center))).toEqual(["SFO", "OAK", "SJC", "LAX", "JFK"]);
    expect(names(await here.nearest(center, { maxMeters: 20_000 }))).toEqual(["SFO", "OAK"]);
    expect(names(await here.radius(center, { meters: 100_000 }))).toEqual(["SFO", "OAK", "SJC"]);
    expect(names(await here.radius(center, { meters: 100_000, limit: 1 }))).toEqual(["SFO"]);
    expect(await here.radius(center, { meters: 1 })).toEqual([]);
    expect(names(await here.box(center, { widthMeters: 40_000, heightMeters: 40_000 }))).toEqual(["SFO", "OAK"]);
    expect(names(await here.box(center, { widthMeters: 30_000, heightMeters: 1e12 }))).toEqual(["SFO"]);
    expect(await pair()[0].nearest(center)).toEqual([]);
  });

  it("around a member, which is not among its matches", async () => {
    const [here] = pair();
    await here.addMany(AIRPORTS);
    expect(names(await here.nearest({ member: "SFO" }, { count: 2 }))).toEqual(["OAK", "SJC"]);
    expect(names(await here.radius({ member: "SFO" }, { meters: 60_000, limit: 2 }))).toEqual(["OAK", "SJC"]);
    expect(names(await here.box({ member: "LAX" }, { widthMeters: 10, heightMeters: 10 }))).toEqual([]);
    await here.add("twin", AIRPORTS[0]![1]);
    expect(names(await here.nearest({ member: "SFO" }, { count: 1 }))).toEqual(["twin"]);
    expect(names(await here.nearest({ member: "twin" }, { count: 1 }))).toEqual(["SFO"]);
  });

  it("a missing member at the centre is undefined", async () => {
    const [here] = pair();
    expect(await here.nearest({ member: "SFO" })).toBeUndefined();
    await here.addMany(AIRPORTS);
    expect(await here.nearest({ member: "none" })).toBeUndefined();
    expect(await here.radius({ member: "none" }, { meters: 5 })).toBeUndefined();
    expect(await here.box({ member: "none" }, { widthMeters: 5, heightMeters: 5 })).toBeUndefined();
  });

  it("what has expired is not shown by any operation, and takes nobody's place", async () => {
    const [here] = pair();
    await here.addMany(AIRPORTS);
    await end(here, "OAK", "LAX");
    expect(await here.position("OAK")).toBeUndefined();
    expect(await here.distance("SFO", "OAK")).toBeUndefined();
    expect(await here.size()).toBe(3);
    expect(await here.remove("LAX")).toBe(false);
    await end(here, "LAX");
    expect(names(await here.nearest({ member: "SFO" }, { count: 2 }))).toEqual(["SJC", "JFK"]);
    expect(await raw("ZCARD", placesOf(here))).toBe(3);
    expect(await raw("ZCARD", endsOf(here))).toBe(3);
    expect(await here.nearest({ member: "OAK" })).toBeUndefined();
    await here.add("OAK", AIRPORTS[1]![1]);
    expect(names(await here.nearest({ member: "SFO" }, { count: 1 }))).toEqual(["OAK"]);
  });

  it("more have expired than one script removes: the search is whole all the same", async () => {
    const [here] = pair();
    const ended = Array.from({ length: 1_200 }, (_, at) => `old-${at}`);
    await here.addMany(ended.map((member, at) => [member, { lon: at / 100, lat: 1 }]));
    await here.addMany([["live", { lon: 12, lat: 2 }]]);
    for (let at = 0; at < ended.length; at += 500) await end(here, ...ended.slice(at, at + 500));
    const searches = [
      here.nearest({ lon: 12, lat: 1 }, { count: 3 }),
      here.radius({ lon: 12, lat: 1 }, { meters: 1e6 }),
    ];
    expect((await Promise.all(searches)).map(names)).toEqual([["live"], ["live"]]);
    expect(await raw("ZCARD", placesOf(here))).toBe(1);
  });

  const FLEET: readonly (readonly [string, GeoPoint, GeoAddOptions])[] = [
    ["a", { lon: 10, lat: 50 }, { fields: { kind: "taxi", seats: 4, free: true } }],
    ["b", { lon: 10.01, lat: 50 }, { fields: { kind: "bus", seats: 50, free: true } }],
    ["c", { lon: 10.02, lat: 50 }, { fields: { kind: "taxi", seats: 7, free: false } }],
    ["d", { lon: 10.03, lat: 50 }, {}],
  ];
  const DEPOT = { lon: 10, lat: 50 };

  it("where: values, lists of them and ranges", async () => {
    const [here, there] = pair();
    await here.addMany(FLEET);
    const found = async (where: GeoWhere): Promise<unknown> => names(await there.nearest(DEPOT, { where }));
    expect(await found({ kind: "taxi" })).toEqual(["a", "c"]);
    expect(await found({ kind: ["bus", "tram"] })).toEqual(["b"]);
    expect(await found({ seats: { min: 7 } })).toEqual(["b", "c"]);
    expect(await found({ seats: { max: 7 }, free: true })).toEqual(["a"]);
    expect(await found({ seats: "4" })).toEqual([]);
    expect(await found({ free: [] })).toEqual([]);
    expect(await found({ constructor: "x" })).toEqual([]);
    expect(await found({})).toEqual(["a", "b", "c", "d"]);
    const [first] = await there.nearest(DEPOT, { count: 1, where: { kind: "taxi" } });
    expect(first).toMatchObject({ member: "a", fields: { kind: "taxi", seats: 4, free: true } });
    expect((await there.nearest(DEPOT, { count: 4 }))[0]).not.toHaveProperty("fields");
    expect((await there.nearest(DEPOT, { fields: true })).map(({ fields }) => fields?.["kind"])).toEqual([
      "taxi",
      "bus",
      "taxi",
      undefined,
    ]);
    expect(names(await there.box(DEPOT, { widthMeters: 1e4, heightMeters: 1e4, where: { kind: "bus" } }))).toEqual([
      "b",
    ]);
  });

  it("fields go with their member, and stay when it moves", async () => {
    const [here, there] = pair();
    await here.addMany(FLEET);
    await there.add("a", { lon: 11, lat: 50 });
    expect(await here.get("a")).toMatchObject({
      lon: expect.closeTo(11, 4),
      fields: { kind: "taxi", seats: 4, free: true },
    });
    await there.add("a", { lon: 11, lat: 50 }, { fields: { kind: "van" } });
    expect((await here.get("a"))!.fields).toEqual({ kind: "van" });
    await there.add("a", { lon: 11, lat: 50 }, { fields: {} });
    expect(await here.get("a")).not.toHaveProperty("fields");
    await here.remove("b");
    await here.add("b", DEPOT);
    await end(here, "c");
    await here.add("c", DEPOT);
    for (const member of ["b", "c"]) expect(await there.get(member)).not.toHaveProperty("fields");
    expect(await there.nearest(DEPOT, { where: { seats: { min: 0 } } })).toEqual([]);
    for (const member of ["a", "b", "c", "d"]) expect(await here.remove(member)).toBe(true);
    expect(await raw("EXISTS", placesOf(here), endsOf(here), `${placesOf(here)}:fields`)).toBe(0);
  });

  it("of several adds of a member in one tick the last one with fields decides", async () => {
    const [here] = pair();
    const added = (...fields: (object | undefined)[]): Promise<unknown> =>
      here.addMany(fields.map((each) => ["a", DEPOT, { fields: each } as GeoAddOptions] as const));
    await added({ kind: "taxi" }, {});
    expect(await here.get("a")).not.toHaveProperty("fields");
    await added({ kind: "taxi" }, {}, { kind: "van" }, undefined);
    expect((await here.get("a"))!.fields).toEqual({ kind: "van" });
  });

  it("what was over and could not be removed at once does not come back with its fields", async () => {
    const [here] = pair();
    const many = Array.from({ length: 700 }, (_, at) => `m${at}`);
    await here.addMany(many.map((member) => [member, DEPOT, { fields: { old: true } }] as const));
    for (let at = 0; at < many.length; at += 400) await end(here, ...many.slice(at, at + 400));
    await here.add("m699", DEPOT);
    expect(await here.get("m699")).not.toHaveProperty("fields");
    expect(await here.size()).toBe(1);
  });

  it.each(["", ":ends", ":fields"])("without its key %s an index with fields ends whole", async (part) => {
    const [here, there] = pair();
    await here.addMany(FLEET);
    await raw("DEL", `${placesOf(here)}${part}`);
    expect(await there.size()).toBe(0);
    expect(await there.get("a")).toBeUndefined();
    expect(await there.nearest(DEPOT)).toEqual([]);
    await here.add("d", DEPOT);
    expect(names(await there.nearest(DEPOT, { where: {} }))).toEqual(["d"]);
    expect(await there.size()).toBe(1);
  });

  it("polygon: also over the 180th meridian, from a centre of its own", async () => {
    const [here, there] = pair();
    await here.addMany(
      Array.from({ length: 40 }, (_, at) => [`m${at}`, { lon: at < 20 ? 160 + at : at - 200, lat: -17 }]),
    );
    const fiji = [
      [177, -20],
      [-178, -20],
      [-178, -15],
      [177, -15],
    ].map(([lon, lat]) => ({ lon: lon!, lat: lat! }));
    expect(names(await there.polygon(fiji))!.toSorted()).toEqual(
      ["m17", "m18", "m19", "m20", "m21", "m22"].slice(0, 5).toSorted(),
    );
    expect(names(await there.polygon(fiji, { center: { lon: 177, lat: -17 }, limit: 2 }))).toEqual(["m17", "m18"]);
    await expect(here.polygon(fiji.slice(0, 2))).rejects.toEqual(bad("polygon"));
    await expect(
      here.polygon(
        [
          [0, 80],
          [120, 80],
          [-120, 80],
        ].map(([lon, lat]) => ({ lon: lon!, lat: lat! })),
      ),
    ).rejects.toThrow(/pole/);
    await expect(here.polygon([{ lon: 0, lat: 86 }, ...fiji])).rejects.toEqual(bad("lat"));
  });

  it("page: every member of an area once, whatever moves among those that were met", async () => {
    const [here, there] = pair();
    await here.addMany(
      Array.from({ length: 400 }, (_, at) => [
        `m${at}`,
        { lon: 10 + (at % 20) / 1_000, lat: 50 + Math.floor(at / 20) / 1_000 },
      ]),
    );
    const area = { center: { member: "m0" }, meters: 1_500 };
    const all = names(await there.radius(area.center, { meters: 1_500, limit: 1_000 }));
    const [seen, cursors] = [[] as string[], [undefined as string | undefined]];
    while (cursors.length < 40) {
      const page = await there.page(area, {
        limit: 30,
        ...(cursors.at(-1) !== undefined && { cursor: cursors.at(-1)! }),
      });
      seen.push(...page!.matches.map(({ member }) => member));
      // The centre moves, and what was met goes.
      await here.add("m0", { lon: -50, lat: 0 });
      await here.remove(seen.at(-1)!);
      if (page!.cursor === undefined) break;
      cursors.push(page!.cursor);
    }
    expect(seen).toEqual(all);
    expect(await there.page({ center: { member: "none" }, meters: 1 })).toBeUndefined();
    await expect(here.page(area, { cursor: "x" })).rejects.toEqual(bad("cursor"));
    await expect(here.page({ center: DEPOT } as never)).rejects.toEqual(bad("widthMeters"));
    await expect(here.page({ center: DEPOT, meters: 1, widthMeters: 1 })).rejects.toEqual(bad("widthMeters"));
  });

  it("an index that lost one of its keys shows nothing false", async () => {
    const [here] = pair();
    await here.addMany(AIRPORTS);
    await raw("DEL", endsOf(here));
    expect(await here.position("SFO")).toBeUndefined();
    expect(await here.nearest({ lon: 0, lat: 0 })).toEqual([]);
    await here.addMany(AIRPORTS);
    await raw("DEL", endsOf(here));
    await here.add("SFO", AIRPORTS[0]![1]);
    expect(names(await here.nearest({ lon: 0, lat: 0 }))).toEqual(["SFO"]);
    await raw("DEL", placesOf(here));
    expect(await here.size()).toBe(0);
    expect(await here.position("SFO")).toBeUndefined();
    expect(await here.nearest({ member: "SFO" })).toBeUndefined();
    expect(await here.distance("SFO", "SFO")).toBeUndefined();
    await here.addMany(AIRPORTS);
    await raw("DEL", placesOf(here));
    await here.add("SFO", AIRPORTS[0]![1]);
    expect(await here.size()).toBe(1);
    expect(await raw("ZCARD", endsOf(here))).toBe(1);
    await here.remove("SFO");
    expect(await raw("EXISTS", placesOf(here), endsOf(here), `${placesOf(here)}:fields`)).toBe(0);
  });

  it("calls that are not awaited are executed in their order", async () => {
    const [here] = pair();
    const center = { lon: 5, lat: 5 };
    const answers = await Promise.all([
      here.position("x"),
      here.add("x", center),
      here.add("y", center),
      here.size(),
      here.add("x", { lon: 6, lat: 6 }),
      here.position("x"),
      here.nearest(center, { count: 1 }),
      here.remove("y"),
      here.remove("y"),
      here.size(),
    ]);
    expect(answers[0]).toBeUndefined();
    expect(answers[3]).toBe(2);
    expect(answers[5]).toMatchObject({ lon: expect.closeTo(6, 4) });
    expect(names(answers[6])).toEqual(["y"]);
    expect(answers.slice(7)).toEqual([true, false, 1]);
  });

  it("two handles that add at once lose nothing", async () => {
    const [here, there] = pair();
    const adds = Array.from({ length: 600 }, (_, at) =>
      (at % 2 === 0 ? here : there).add(`m${at}`, { lon: at / 10, lat: at / 10 - 30 }),
    );
    await Promise.all(adds);
    expect(await here.size()).toBe(600);
    expect(await here.nearest({ lon: 30, lat: 0 }, { count: 1_000 })).toHaveLength(600);
  });

  it("members and names of all kinds", async () => {
    for (const name of ["{a}b", "a:b", "x y", "ключ"]) {
      const geo = both.a.geo(`${randomName()}${name}`);
      const members = ["{a}", "a:b", "😀", " ", "FROMLONLAT", "-1"];
      await geo.addMany(members.map((member) => [member, { lon: 1, lat: 1 }]));
      expect(new Set(names(await geo.nearest({ lon: 1, lat: 1 })))).toEqual(new Set(members));
    }
  });

  it("the ends of the map", async () => {
    const [here] = pair();
    const edge = 85.05112878;
    const corners: [string, GeoPoint][] = [
      ["south-west", { lon: -180, lat: -edge }],
      ["south-east", { lon: 180, lat: -edge }],
      ["north-west", { lon: -180, lat: edge }],
      ["north-east", { lon: 180, lat: edge }],
    ];
    await here.addMany(corners);
    for (const [member, point] of corners) {
      const matches = await here.radius(point, { meters: 2 });
      const half = member.slice(0, 5);
      expect(names(matches)!.sort()).toEqual([`${half}-east`, `${half}-west`]);
      expect(Math.abs((await here.position(member))!.lon)).toBeCloseTo(180, 4);
    }
  });

  it("each add starts the time to live again, of the keys too", async () => {
    const [here] = pair({ ttl: "1h" });
    await here.add("x", { lon: 1, lat: 1 });
    await end(here, "x");
    await raw("PEXPIRE", placesOf(here), "60000");
    await raw("PEXPIRE", endsOf(here), "60000");
    await here.add("x", { lon: 1, lat: 1 });
    expect(await here.size()).toBe(1);
    for (const key of [placesOf(here), endsOf(here)]) {
      const ttl = await raw("PTTL", key);
      expect(ttl).toBeGreaterThan(60_000);
      expect(ttl).toBeLessThanOrEqual(3_600_000);
    }
    await both.b.geo(here.name, { ttl: "1m" }).add("y", { lon: 1, lat: 1 });
    for (const key of [placesOf(here), endsOf(here)]) expect(await raw("PTTL", key)).toBeGreaterThan(60_000);
  });

  it("the key of the fields ends with the others, whoever has fields and whatever ttl they came with", async () => {
    const [here] = pair({ ttl: "1h" });
    const fields = `${placesOf(here)}:fields`;
    await here.add("x", DEPOT);
    await both.b.geo(here.name, { ttl: "1m" }).add("y", DEPOT, { fields: { kind: "bus" } });
    expect(await raw("PTTL", fields)).toBeGreaterThan(60_000);
    await raw("PEXPIRE", fields, "60000");
    await here.add("x", DEPOT);
    expect(await raw("PTTL", fields)).toBeGreaterThan(60_000);
  });

  it("a key of another type is reported", async () => {
    const [here] = pair();
    await raw("SET", placesOf(here), "foreign");
    await expect(here.add("x", { lon: 1, lat: 1 })).rejects.toMatchObject({ code: "WRONG_TYPE", op: "geo.add" });
    await expect(here.position("x")).rejects.toMatchObject({ code: "WRONG_TYPE", op: "geo.position" });
  });

  it("bad input is refused by its name", async () => {
    const [here] = pair();
    expect(() => both.a.geo("")).toThrow(bad("name"));
    expect(() => both.a.geo("x", { ttl: 0 })).toThrow(bad("ttl"));
    await expect(here.add("x", { lon: 180.1, lat: 0 })).rejects.toEqual(bad("lon"));
    await expect(here.add("x", { lon: 0, lat: 85.06 })).rejects.toEqual(bad("lat"));
    await expect(here.add("x", { lon: Number.NaN, lat: 0 })).rejects.toEqual(bad("lon"));
    await expect(here.add("", { lon: 0, lat: 0 })).rejects.toEqual(bad("member"));
    await expect(here.add("\ud800", { lon: 0, lat: 0 })).rejects.toEqual(bad("member"));
    await expect(here.add("x", null as never)).rejects.toEqual(bad("point"));
    const half: [string, GeoPoint][] = [
      ["good", { lon: 0, lat: 0 }],
      ["bad", { lon: 200, lat: 0 }],
    ];
    await expect(here.addMany(half)).rejects.toEqual(bad("lon"));
    expect(await here.size()).toBe(0);
    const center = { lon: 0, lat: 0 };
    await expect(here.nearest(center, { count: 0 })).rejects.toEqual(bad("count"));
    await expect(here.nearest(center, { maxMeters: 0 })).rejects.toEqual(bad("maxMeters"));
    await expect(here.nearest(7 as never)).rejects.toEqual(bad("center"));
    await expect(here.radius(center, { meters: -1 })).rejects.toEqual(bad("meters"));
    await expect(here.radius(center, { meters: 1, limit: 10_001 })).rejects.toEqual(bad("limit"));
    await expect(here.box(center, { widthMeters: 0, heightMeters: 1 })).rejects.toEqual(bad("widthMeters"));
    await expect(here.box(center, { widthMeters: 1, heightMeters: Number.NaN })).rejects.toEqual(bad("heightMeters"));
    await expect(here.distance("a", {} as never)).rejects.toEqual(bad("to"));
    expect(() => both.a.geo("x", { tll: 5 } as never)).toThrow(/^geo "x": tll: .*"ttl"/);
    await expect(here.addMany({} as never)).rejects.toEqual(bad("entries"));
    await expect(here.addMany(["ab", "cd"] as never)).rejects.toEqual(bad("entries"));
    await expect(here.nearest(center, 5 as never)).rejects.toEqual(bad("options"));
    for (const fields of [
      5,
      [],
      { a: {} },
      { a: Number.NaN },
      { a: "x".repeat(520) },
      Object.fromEntries("abcdefghi".split("").map((name) => [name, 1])),
    ])
      await expect(here.add("x", center, { fields } as never)).rejects.toEqual(bad("fields"));
    for (const where of [5, [], { a: null }, { a: { min: "1" } }, { a: { least: 1 } }])
      await expect(here.nearest(center, { where } as never)).rejects.toMatchObject({ name: "InvalidArgumentError" });
    await expect(here.radius(center, { meter: 5 } as never)).rejects.toEqual(bad("meter"));
    await expect(here.radius(center, undefined as never)).rejects.toEqual(bad("meters"));
    expect(await here.nearest(center, { count: undefined } as never)).toEqual([]);
  });
});
