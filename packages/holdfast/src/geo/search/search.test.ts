// What could go wrong, and the test for it:
// - a member is missed, or a farther one comes before it, wherever members lie ... "finds what looking at all of them finds"
// - a look reads without a bound ................................................ "no look reads more than it may, and most searches need two"
// - very many members at one place cannot be divided ............................. "a thousand members at one place"
// - one that leaves a crowded place while it is read hides another ................ "a thousand members at one place, one of which goes"
// - pages repeat or lose a member ................................................. "pages together are the whole area"
// - a polygon over the 180th meridian is the rest of the world, or has no inside ... "a polygon over the 180th meridian", "a polygon with a hole cut by itself"
// - a polygon that has no clear inside is taken ..................................... "refuses outlines without a clear inside"
import { describe, expect, it } from "vitest";
import { type Area, box, circle, polygon } from "../../core/earth/area.ts";
import { cellAt, MAX_STEP, pointOf, scoresOf } from "../../core/earth/cells.ts";
import { Density } from "./density.ts";
import { type Ring, ringContains, ringOf } from "../../core/earth/ring.ts";
import type { Look, MemberAt, Seen } from "./parts.ts";
import { compareRanks, type Rank, rounded } from "./rank.ts";
import { type Found, search } from "./search.ts";
import { metersBetween, type Point } from "../../core/earth/sphere.ts";

/** The look's own bound. */
const MOST_READ = 1_000;

/** A fixed seed, so that what fails fails again. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Members {
  readonly all: MemberAt[];
  looks = 0;
  /** Members read by one look. */
  most = 0;

  constructor(points: readonly Point[]) {
    const at = (point: Point): number => scoresOf(cellAt(point, MAX_STEP))[0];
    this.all = points
      .map((point, number) => ({ member: `m${number}`, score: at(point), about: number % 7 === 0 ? "red" : "" }))
      .toSorted((a, b) => a.score - b.score || compareRanks({ ...a, meters: 0 }, { ...b, meters: 0 }));
  }

  /** As `look.lua` does. */
  readonly look: Look = (spans) => {
    this.looks += 1;
    let read = 0;
    const seen = spans.map(({ first, end, skip, most }): Seen => {
      const inside = this.all.filter(({ score }) => score >= first && score < end);
      const wanted = most < 0 ? -most : Math.min(most, MOST_READ - read);
      if (most > 0 && inside.length > wanted) return { count: inside.length };
      const members = skip === "back" ? inside.slice(-wanted) : inside.slice(skip, skip + wanted);
      read += members.length;
      return { members, seen: members.length };
    });
    this.most = Math.max(this.most, read);
    return Promise.resolve({ total: this.all.length, seen });
  };

  /** By looking at all of them. */
  within(area: Area, only = ""): Rank[] {
    return this.all
      .filter(({ about }) => only === "" || about === only)
      .map(({ member, score }) => ({
        member,
        point: pointOf(score),
        meters: rounded(metersBetween(area.center, pointOf(score))),
      }))
      .filter(({ point, meters }) => area.contains(point, meters))
      .map(({ member, meters }) => ({ member, meters }))
      .toSorted(compareRanks);
  }
}

const ranks = (found: readonly Found[]): Rank[] => found.map(({ member, meters }) => ({ member, meters }));
const ALL = { after: undefined, except: undefined, accepts: undefined } as const;

function ring(...corners: [lon: number, lat: number][]): Ring {
  const made = ringOf(corners.map(([lon, lat]) => ({ lon, lat })));
  if (typeof made === "string") throw new Error(made);
  return made;
}

const next = chance(13);
const anywhere = (): Point => ({ lon: next() * 360 - 180, lat: next() * 170 - 85 });
const towns = Array.from({ length: 6 }, anywhere);
const inTown = (): Point => {
  const { lon, lat } = towns[Math.floor(next() ** 2 * towns.length)]!;
  const east = lon + (next() ** 3 - 0.5) * 0.2;
  return { lon: east > 180 ? east - 360 : east, lat: Math.max(-85, Math.min(85, lat + (next() ** 3 - 0.5) * 0.2)) };
};
const WORLDS: readonly (readonly [string, Members, () => Point])[] = [
  ["anywhere", new Members(Array.from({ length: 1_500 }, anywhere)), anywhere],
  ["in towns", new Members(Array.from({ length: 1_500 }, (_, at) => (at % 20 === 0 ? anywhere() : inTown()))), inTown],
  [
    "on the 180th meridian",
    new Members(
      Array.from({ length: 400 }, () => ({ lon: (next() - 0.5 > 0 ? 179 : -180) + next(), lat: next() - 0.5 })),
    ),
    () => ({ lon: 180 - next(), lat: 0 }),
  ],
];

describe("search", () => {
  it.each(WORLDS)("finds what looking at all of them finds: %s", async (_, members, where) => {
    const density = new Density();
    const shape = (center: Point): Area[] => {
      const corners = [0, 1, 2, 3, 4].map((turn) => ({
        lon: center.lon + Math.cos(turn * 2.5) * 3,
        lat: Math.max(-85, Math.min(85, center.lat + Math.sin(turn * 2.5) * 3)),
      }));
      const around = ringOf(
        corners.map(({ lon, lat }) => ({ lon: lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon, lat })),
      );
      const areas = [
        circle(center, 10 ** (2 + next() * 5.3)),
        box(center, 10 ** (3 + next() * 4), 10 ** (3 + next() * 4)),
      ];
      return typeof around === "string" ? areas : [...areas, polygon(around), polygon(around, anywhere())];
    };
    for (let turn = 0; turn < 25; turn += 1) {
      for (const area of shape(turn % 4 === 0 ? anywhere() : where())) {
        const limit = 1 + Math.floor(next() ** 3 * 400);
        const only = turn % 5 === 4 ? "red" : "";
        const accepts = only === "" ? undefined : (about: string): boolean => about === only;
        const found = await search(members.look, { ...ALL, area, limit, accepts }, density);
        expect(ranks(found)).toEqual(members.within(area, only).slice(0, limit));
      }
    }
  });

  it("no look reads more than it may, and most searches need two", async () => {
    for (const [, members, where] of WORLDS) {
      members.looks = 0;
      const density = new Density();
      for (let turn = 0; turn < 50; turn += 1)
        await search(members.look, { ...ALL, area: circle(where(), 3e7), limit: 10 }, density);
      expect(members.looks / 50).toBeLessThan(3);
      expect(members.most).toBeLessThanOrEqual(MOST_READ);
    }
  });

  it("a thousand members at one place", async () => {
    const here = { lon: 10, lat: 50 };
    const members = new Members(Array.from({ length: 1_000 }, () => here));
    const area = circle(here, 1_000);
    expect(ranks(await search(members.look, { ...ALL, area, limit: 700 }, new Density()))).toEqual(
      members.within(area).slice(0, 700),
    );
    const accepts = (about: string): boolean => about === "red";
    const red = await search(members.look, { ...ALL, area, limit: 100, accepts }, new Density());
    expect(ranks(red)).toEqual(members.within(area, "red").slice(0, 100));
    members.looks = 0;
    const after = members.within(area)[900]!;
    const page = await search(members.look, { ...ALL, area, limit: 10, after }, new Density());
    expect(ranks(page)).toEqual(members.within(area).slice(901, 911));
    expect(members.looks).toBeLessThan(10);
  });

  it("a thousand members at one place, one of which goes while they are read: the others are found", async () => {
    const here = { lon: 10, lat: 50 };
    const members = new Members(Array.from({ length: 1_000 }, () => here));
    const area = circle(here, 1_000);
    const all = members.within(area).map(({ member }) => member);
    let hasGone = false;
    const look: Look = async (spans) => {
      const seen = await members.look(spans);
      if (
        !hasGone &&
        spans.some(({ first, end, skip }) => end === first + 1 && skip === 0 && first === members.all[0]!.score)
      ) {
        hasGone = true;
        members.all.shift();
      }
      return seen;
    };
    const found = new Set(
      (await search(look, { ...ALL, area, limit: 1_000 }, new Density())).map((each) => each.member),
    );
    expect(hasGone).toBe(true);
    expect(all.filter((member) => !found.has(member))).toEqual([]);
  });

  it("pages together are the whole area", async () => {
    for (const [, members, where] of WORLDS) {
      const area = circle(where(), 2e6);
      const [pages, density] = [[] as Rank[], new Density()];
      for (let after: Rank | undefined, more = true; more;) {
        const page = await search(members.look, { ...ALL, area, limit: 90, after }, density);
        pages.push(...ranks(page));
        after = page.at(-1);
        more = page.length === 90;
      }
      expect(pages).toEqual(members.within(area));
    }
  });
});

describe("a ring", () => {
  it("a polygon over the 180th meridian has its inside on both sides", () => {
    const fiji = ring([177, -20], [-178, -20], [-178, -15], [177, -15], [177, -20]);
    for (const lon of [177.5, 179.9, 180, -180, -179]) expect(ringContains(fiji, { lon, lat: -17 })).toBe(true);
    for (const lon of [176, -177, 0]) expect(ringContains(fiji, { lon, lat: -17 })).toBe(false);
  });

  it("a polygon with a hole cut by itself is even and odd", () => {
    const star = ring([0, 3], [2, -3], [-3, 1], [3, 1], [-2, -3]);
    expect(ringContains(star, { lon: 0, lat: 0 })).toBe(false);
    expect(ringContains(star, { lon: 0, lat: 2 })).toBe(true);
  });

  it("refuses outlines without a clear inside", () => {
    const refusal = (...corners: [number, number][]): unknown => ringOf(corners.map(([lon, lat]) => ({ lon, lat })));
    expect(refusal([0, 0], [1, 1])).toMatch(/3 different/);
    expect(refusal([0, 0], [1, 1], [0, 0])).toMatch(/3 different/);
    expect(refusal([0, 80], [120, 80], [-120, 80])).toMatch(/pole/);
    expect(refusal([0, 0], [180, 0], [90, 10])).toMatch(/180 degrees/);
    expect(refusal([-180, -80], [180, -80], [180, 80], [-180, 80])).toMatch(/180 degrees/);
  });
});
