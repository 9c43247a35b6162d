// Geo against a plain model: every search returns what looking at all members returns, also over the 180th meridian.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Geo, GeoMatch } from "./geo.ts";
import type { GeoPoint } from "../core/earth/point.ts";
import type { GeoCenter } from "./query.ts";

/** The server's. */
const EARTH_RADIUS = 6_372_797.560856;
/** Distances this close to a border may be on either side of it. */
const BLUR_METERS = 1;

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

function metersBetween(a: GeoPoint, b: GeoPoint): number {
  const u = Math.sin((radians(b.lat) - radians(a.lat)) / 2);
  const v = Math.sin((radians(b.lon) - radians(a.lon)) / 2);
  const chord = u * u + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * v * v;
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(Math.min(1, chord)));
}

const MEMBER = fc.integer({ min: 0, max: 59 }).map((at) => `m${at}`);
const double = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
const EDGE = 85.05112878;
/** Anywhere, crowded, near the 180th meridian, near where the map ends, and there. */
const POINT: fc.Arbitrary<GeoPoint> = fc.oneof(
  fc.record({ lon: double(-180, 180), lat: double(-EDGE, EDGE) }),
  fc.record({ lon: fc.constantFrom(-180, 0, 180), lat: fc.constantFrom(-EDGE, 0, EDGE) }),
  fc.record({ lon: double(10, 10.05), lat: double(50, 50.05) }),
  fc.record({ lon: fc.oneof(double(179.9, 180), double(-180, -179.9)), lat: double(-10, 10) }),
  fc.record({ lon: double(-180, 180), lat: fc.oneof(double(84, EDGE), double(-EDGE, -84)) }),
);
const CENTER: fc.Arbitrary<GeoCenter> = fc.oneof(POINT, fc.record({ member: MEMBER }));
/** From metres to the whole earth. */
const METERS = double(0, 7.3).map((exponent) => 10 ** exponent);
const COUNT = fc.integer({ min: 1, max: 70 });

const OPERATION = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), member: MEMBER }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), member: MEMBER }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      places: fc.array(fc.tuple(MEMBER, POINT), { minLength: 1, maxLength: 20 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("radius" as const), center: CENTER, meters: METERS, limit: COUNT }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("nearest" as const), center: CENTER, meters: METERS, limit: COUNT }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("box" as const),
      center: CENTER,
      widthMeters: METERS,
      heightMeters: METERS,
      limit: COUNT,
    }),
  },
);

type Operation = typeof OPERATION extends fc.Arbitrary<infer T> ? T : never;
type Search = Exclude<Operation, { kind: "add" | "remove" | "end" }>;

/** Beyond the border by this many metres, less than 0 inside it. */
function beyond(search: Search, center: GeoPoint, point: GeoPoint): number {
  if (search.kind !== "box") return metersBetween(center, point) - search.meters;
  const southNorth = EARTH_RADIUS * Math.abs(radians(point.lat - center.lat));
  const westEast = metersBetween(point, { lon: center.lon, lat: point.lat });
  return Math.max(southNorth - search.heightMeters / 2, westEast - search.widthMeters / 2);
}

class Run {
  /** Where the server put them, which is up to 0.6 m beside where they were added. */
  readonly #places = new Map<string, GeoPoint>();
  readonly #geo: Geo;
  readonly #end: (member: string) => Promise<void>;

  constructor(geo: Geo, end: (member: string) => Promise<void>) {
    this.#geo = geo;
    this.#end = end;
  }

  get size(): number {
    return this.#places.size;
  }

  async apply(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case "add":
        return this.#add(operation.places);
      case "remove":
        return assert.equal(await this.#geo.remove(operation.member), this.#places.delete(operation.member));
      case "end":
        await this.#end(operation.member);
        this.#places.delete(operation.member);
        return assert.equal(await this.#geo.size(), this.#places.size);
      case "radius":
      case "nearest":
      case "box":
        return this.#compare(operation, await this.#search(operation));
    }
  }

  async #add(places: readonly (readonly [string, GeoPoint])[]): Promise<void> {
    await this.#geo.addMany(places);
    const last = new Map(places);
    const stored = await this.#geo.positions(last.keys());
    for (const [member, point] of last) {
      assert.ok(metersBetween(point, stored.get(member)!) < BLUR_METERS);
      this.#places.set(member, stored.get(member)!);
    }
  }

  #search(search: Search): Promise<GeoMatch[] | undefined> {
    const { kind, center, limit } = search;
    if (kind === "box") {
      const { widthMeters, heightMeters } = search;
      return this.#geo.box(center, { widthMeters, heightMeters, limit });
    }
    if (kind === "radius") return this.#geo.radius(center, { meters: search.meters, limit });
    return this.#geo.nearest(center, { count: limit, maxMeters: search.meters });
  }

  #compare(search: Search, matches: GeoMatch[] | undefined): void {
    const { center } = search;
    const anchor = "member" in center ? String(center.member) : undefined;
    const point = "member" in center ? this.#places.get(String(center.member)) : center;
    if (point === undefined) return assert.equal(matches, undefined);
    for (const match of matches!) {
      const place = this.#places.get(match.member);
      assert.deepEqual(place, { lon: match.lon, lat: match.lat });
      assert.notEqual(match.member, anchor);
      assert.ok(Math.abs(match.meters - metersBetween(point, place)) < BLUR_METERS);
      assert.ok(beyond(search, point, place) < BLUR_METERS);
    }
    const meters = matches!.map((match) => match.meters);
    assert.deepEqual(
      meters,
      [...meters].sort((a, b) => a - b),
    );
    this.#expectNoneMissed(search, point, anchor, matches!);
  }

  /** Whoever is inside and not among the matches is only crowded out, by nearer ones. */
  #expectNoneMissed(search: Search, point: GeoPoint, anchor: string | undefined, matches: readonly GeoMatch[]): void {
    assert.ok(matches.length <= search.limit);
    const found = new Set(matches.map(({ member }) => member));
    const farthest = matches.length === search.limit ? matches.at(-1)!.meters : Infinity;
    const missed = [...this.#places].filter(
      ([member, place]) =>
        member !== anchor &&
        !found.has(member) &&
        beyond(search, point, place) < -BLUR_METERS &&
        metersBetween(point, place) < farthest - BLUR_METERS,
    );
    assert.deepEqual(missed, []);
  }
}

describe.each(backends("standalone", "embedded"))("geo against a model [$name]", ({ url, options }) => {
  const prefix = `test-${randomUUID()}`;
  let hf: Holdfast;

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix });
  });
  afterAll(() => hf?.close());

  it("any sequence of operations returns what the model returns", { timeout: 180_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(OPERATION, { minLength: 10, maxLength: 40 }), async (operations) => {
        const name = randomUUID();
        const ends = `${prefix}:geo:{${name}}:ends`;
        const run = new Run(hf.geo(name), async (member) => {
          await hf.driver.send(["ZADD", ends, "XX", "1", member], { op: "test", class: "idempotent" }, ends);
        });
        for (const operation of operations) await run.apply(operation);
        expect(await hf.geo(name).size()).toBe(run.size);
      }),
      { numRuns: 20 },
    );
  });
});
