/**
 * A geo index: members with positions, found by nearness.
 *
 * Promises: a member that was not added again within its `ttl` is never shown and never takes the place of one that is
 * there; searches are exact and their results bounded. Positions are stored in cells of 52 bits, so they read back up to
 * 0.6 m from where they were put; distances are along great circles of a sphere, up to 0.5 % off the real ones. While the
 * server is away, calls wait for it until their deadline and then reject; all of them are safe to repeat, and are repeated until then.
 */
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import { listOf, pairsOf } from "../base/options.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { type GeoOptions, geoSettings } from "./options.ts";
import {
  boxArea,
  type GeoBoxOptions,
  centerOf,
  checkPoint,
  circleArea,
  type GeoCenter,
  type GeoPoint,
  nearestArea,
  type GeoNearestOptions,
  type GeoRadiusOptions,
} from "./query.ts";
import { type GeoMatch, GeoStore, type Place } from "./store.ts";

/** The nearest first. Undefined if the centre is a member that is not there; it is never among its own matches. */
export type GeoMatches<Center> = GeoMatch[] | (Center extends GeoPoint ? never : undefined);

/**
 * @example
 * const places = hf.geo("airports");
 * await places.add("SFO", { lon: -122.3748, lat: 37.619 });
 * const [nearest] = await places.nearest({ lon: -122.42, lat: 37.77 }, { count: 1 });
 */
export class Geo {
  readonly name: string;
  readonly #operations: Operations;
  readonly #store: GeoStore;

  constructor(core: Core, name: string, options?: GeoOptions) {
    this.name = name;
    this.#operations = new Operations("geo", name);
    const keys = core.keys.group("geo", name);
    this.#store = new GeoStore(core.driver, keys, geoSettings(name, options));
  }

  /** Adds a member or moves it; its `ttl` starts again. Idempotent. Cost: one script; adds made in the same tick share it. */
  add(member: Id, point: GeoPoint): Promise<void> {
    return this.#operations.run("add", member, () => this.#store.add(placeOf(member, point)));
  }

  /** As `add`, for many; all are checked before any is sent. Cost: one script per 256 members. */
  addMany(entries: Iterable<readonly [member: Id, point: GeoPoint]>): Promise<void> {
    return this.#operations.run("addMany", undefined, async () => {
      const pairs = pairsOf("entries", entries, "[member, point] pairs");
      const places = pairs.map(([member, point]) => placeOf(member, point));
      await inChunks(places, (chunk) => Promise.all(chunk.map((place) => this.#store.add(place))));
    });
  }

  /** Returns where a member is; undefined if it is not there. Cost: one script; reads made in the same tick share it. */
  position(member: Id): Promise<GeoPoint | undefined> {
    return this.#operations.run("position", member, () => this.#store.position(checkId("member", member)));
  }

  /** Returns where these members are; the Map has those that are there. Cost: one script per 512 members. */
  positions(members: Iterable<Id>): Promise<Map<Id, GeoPoint>> {
    return this.#operations.run("positions", undefined, async () => {
      const wanted = [...new Set(listOf("members", members, "members"))];
      const names = wanted.map((member) => checkId("members", member));
      const found = await inChunks(names, (chunk) => Promise.all(chunk.map((name) => this.#store.position(name))));
      return new Map(wanted.flatMap((member, at) => (found[at] === undefined ? [] : [[member, found[at]] as const])));
    });
  }

  /**
   * Returns the nearest members, at most `count`.
   * Cost: one script, shared by up to 4 calls made in the same tick. It searches circles of 0.5, 2, 8 ... km until one has
   * enough, so it looks at few more than `count` members where they lie evenly.
   */
  nearest<Center extends GeoCenter>(center: Center, options?: GeoNearestOptions): Promise<GeoMatches<Center>> {
    return this.#operations.run("nearest", nameOf(center), async () => {
      const found = await this.#store.nearest({ ...centerOf(center), ...nearestArea(options) });
      return found as GeoMatches<Center>;
    });
  }

  /**
   * Returns the members within a circle. Cost: one script, shared by up to 4 calls made in the same tick; it looks at
   * all members in the circle, whatever the `limit`.
   */
  radius<Center extends GeoCenter>(center: Center, options: GeoRadiusOptions): Promise<GeoMatches<Center>> {
    return this.#operations.run("radius", nameOf(center), async () => {
      const found = await this.#store.within("geo.radius", { ...centerOf(center), ...circleArea(options) });
      return found as GeoMatches<Center>;
    });
  }

  /** Returns the members within a box, whose sides follow the meridians and parallels. Cost: as `radius`. */
  box<Center extends GeoCenter>(center: Center, options: GeoBoxOptions): Promise<GeoMatches<Center>> {
    return this.#operations.run("box", nameOf(center), async () => {
      const found = await this.#store.within("geo.box", { ...centerOf(center), ...boxArea(options) });
      return found as GeoMatches<Center>;
    });
  }

  /** Returns the metres between two members; undefined if one is not there. Cost: one script; calls made in the same tick share it. */
  distance(from: Id, to: Id): Promise<number | undefined> {
    return this.#operations.run("distance", from, async () => {
      const meters = await this.#store.distance(checkId("from", from), checkId("to", to));
      return meters ?? undefined;
    });
  }

  /** Removes a member; false if it was not there. Idempotent. Cost: one script; removals made in the same tick share it. */
  remove(member: Id): Promise<boolean> {
    return this.#operations.run("remove", member, () => this.#store.remove(checkId("member", member)));
  }

  /** Returns how many members there are. Cost: one script. */
  size(): Promise<number> {
    return this.#operations.run("size", this.name, () => this.#store.size());
  }
}

function placeOf(member: Id, point: GeoPoint): Place {
  const { lon, lat } = checkPoint(point);
  return { member: checkId("member", member), lon, lat };
}

/** For tracing, before anything was checked. */
function nameOf(center: GeoCenter): Id | undefined {
  return typeof center === "object" && center !== null && "member" in center ? center.member : undefined;
}
