/**
 * A geo index: members with positions, found by nearness.
 *
 * Promises: a member that was not added again within its `ttl` is never shown and never takes the place of one that is
 * there; searches are exact, and no look of theirs takes the server long, wherever members lie. Positions are stored in cells of 52 bits,
 * so they read back up to 0.6 m from where they were put; distances are along great circles of a sphere, up to 0.5 % off the real ones.
 * While the server is away, calls wait for it until their deadline and then reject; all of them are safe to repeat, and are repeated until then.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import { givenOptions, listOf, type OptionNames } from "../base/options.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { checkPoint, type GeoPoint } from "../core/earth/point.ts";
import { fieldsOf, filterOf, type GeoFields, storedFields } from "./fields.ts";
import { type GeoOptions, geoSettings } from "./options.ts";
import {
  boxSearch,
  cursorOf,
  type GeoArea,
  type GeoBoxOptions,
  type GeoCenter,
  type GeoNearestOptions,
  type GeoPageOptions,
  type GeoPolygonOptions,
  type GeoRadiusOptions,
  nearestSearch,
  pageSearch,
  polygonSearch,
  radiusSearch,
  type Search,
} from "./query.ts";
import { metersBetween } from "../core/earth/sphere.ts";
import { rounded } from "./search/rank.ts";
import { search } from "./search/search.ts";
import { GeoStore, type Place } from "./store.ts";

export interface GeoAddOptions {
  /** What is stored with the member, instead of what was; `{}` removes it. At most 8 fields, 512 bytes. @default what is there stays */
  readonly fields?: GeoFields;
}

export interface GeoPlace extends GeoPoint {
  /** Undefined if it has none. */
  readonly fields?: GeoFields;
}

export interface GeoMatch extends GeoPoint {
  readonly member: string;
  /** From the centre of the search. */
  readonly meters: number;
  /** Where the search asked for them and the member has some. */
  readonly fields?: GeoFields;
}

/** The nearest first. Undefined if the centre is a member that is not there; it is never among its own matches. */
export type GeoMatches<Center> = GeoMatch[] | (Center extends GeoPoint ? never : undefined);

export interface GeoPage {
  /** The nearest first, at the same distance in the order of their bytes. */
  readonly matches: GeoMatch[];
  /** Where the next page begins; undefined when this was the last. */
  readonly cursor: string | undefined;
}

const ADD_NAMES: OptionNames<GeoAddOptions> = { fields: true };

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
    this.#store = new GeoStore(core, keys, name, geoSettings(name, options));
  }

  /**
   * Adds a member or moves it; its `ttl` starts again. Idempotent.
   * Cost: one script; adds made in the same tick share it, up to 48.
   */
  add(member: Id, point: GeoPoint, options?: GeoAddOptions): Promise<void> {
    return this.#operations.run("add", member, () => this.#store.add(placeOf(member, point, options)));
  }

  /** As `add`, for many; all are checked before any is sent. Cost: one script per 48 members. */
  addMany(
    entries: Iterable<
      readonly [member: Id, point: GeoPoint] | readonly [member: Id, point: GeoPoint, options: GeoAddOptions]
    >,
  ): Promise<void> {
    return this.#operations.run("addMany", undefined, async () => {
      const places = listOf("entries", entries, ENTRIES).map((entry) => {
        if (!Array.isArray(entry) || entry.length < 2 || entry.length > 3)
          throw new InvalidArgumentError("entries", ENTRIES, entry);
        const [member, point, options] = entry as [Id, GeoPoint, GeoAddOptions?];
        return placeOf(member, point, options);
      });
      await inChunks(places, (chunk) => Promise.all(chunk.map((place) => this.#store.add(place))));
    });
  }

  /** Returns where a member is and what is stored with it; undefined if it is not there. Cost: as `position`. */
  get(member: Id): Promise<GeoPlace | undefined> {
    return this.#operations.run("get", member, async () => {
      const stored = await this.#store.get(checkId("member", member));
      return stored === undefined ? undefined : { lon: stored.lon, lat: stored.lat, ...withFields(stored.fields) };
    });
  }

  /** Returns where a member is; undefined if it is not there. Cost: one script; reads made in the same tick share it. */
  position(member: Id): Promise<GeoPoint | undefined> {
    return this.#operations.run("position", member, () => this.#position(checkId("member", member)));
  }

  /** Returns where these members are; the Map has those that are there. Cost: one script per 128 members. */
  positions(members: Iterable<Id>): Promise<Map<Id, GeoPoint>> {
    return this.#operations.run("positions", undefined, async () => {
      const wanted = [...new Set(listOf("members", members, "members"))];
      const names = wanted.map((member) => checkId("members", member));
      const found = await inChunks(names, (chunk) => Promise.all(chunk.map((name) => this.#position(name))));
      return new Map(wanted.flatMap((member, at) => (found[at] === undefined ? [] : [[member, found[at]] as const])));
    });
  }

  /**
   * Returns the nearest members, at most `count`. It reads the map from the centre outwards, in looks that take the server at most about a
   * millisecond each; where earlier searches were made mostly one look is enough. With `where`, give `maxMeters`: it goes on until it has
   * enough.
   * Cost: one script per look, shared by calls made in the same tick; one more for a member in the centre.
   * @throws TimeoutError if it was not over at its deadline
   */
  nearest<Center extends GeoCenter>(center: Center, options?: GeoNearestOptions): Promise<GeoMatches<Center>> {
    return this.#operations.run("nearest", nameOf(center), async () => {
      const found = await this.#search("nearest", nearestSearch(center, options));
      return found?.matches as GeoMatches<Center>;
    });
  }

  /** Returns the members within a circle, the nearest `limit` of them. Cost: as `nearest`; what lies farther than they do is not looked at. */
  radius<Center extends GeoCenter>(center: Center, options: GeoRadiusOptions): Promise<GeoMatches<Center>> {
    return this.#operations.run("radius", nameOf(center), async () => {
      const found = await this.#search("radius", radiusSearch(center, options));
      return found?.matches as GeoMatches<Center>;
    });
  }

  /** Returns the members within a box, whose sides follow the meridians and parallels. Cost: as `radius`. */
  box<Center extends GeoCenter>(center: Center, options: GeoBoxOptions): Promise<GeoMatches<Center>> {
    return this.#operations.run("box", nameOf(center), async () => {
      const found = await this.#search("box", boxSearch(center, options));
      return found?.matches as GeoMatches<Center>;
    });
  }

  /**
   * Returns the members within a polygon of 3 to 1,000 corners. Its sides are straight in degrees, as those of GeoJSON are, and take the
   * shorter way around the earth; a polygon around a pole is refused. Cost: as `radius`; points are compared with the sides here.
   */
  polygon(corners: Iterable<GeoPoint>, options?: GeoPolygonOptions): Promise<GeoMatch[]> {
    return this.#operations.run("polygon", undefined, async () => {
      const found = await this.#search("polygon", polygonSearch(corners, options));
      return found!.matches;
    });
  }

  /**
   * Returns the members of an area in pages, the nearest first. A member that stays where it is, is met exactly once; the centre is where it was
   * for the first page. Undefined if the centre is a member that is not there.
   * Cost: as `nearest`; what is nearer than the page is not read again.
   */
  page(area: GeoArea, options?: GeoPageOptions): Promise<GeoPage | undefined> {
    return this.#operations.run("page", undefined, async () => {
      const wanted = pageSearch(area, options);
      const found = await this.#search("page", wanted);
      if (found === undefined) return undefined;
      const last = found.matches.length < wanted.limit ? undefined : found.matches.at(-1);
      return { matches: found.matches, cursor: last && cursorOf(found.center, last) };
    });
  }

  /** Returns the metres between two members; undefined if one is not there. Cost: as two `position`. */
  distance(from: Id, to: Id): Promise<number | undefined> {
    return this.#operations.run("distance", from, async () => {
      const [a, b] = await Promise.all([this.#position(checkId("from", from)), this.#position(checkId("to", to))]);
      return a && b && rounded(metersBetween(a, b));
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

  async #position(member: string): Promise<GeoPoint | undefined> {
    const stored = await this.#store.get(member);
    return stored && { lon: stored.lon, lat: stored.lat };
  }

  async #search(op: string, wanted: Search): Promise<{ center: GeoPoint; matches: GeoMatch[] } | undefined> {
    const { center, areaAround, limit, after, filter } = wanted;
    const accepts = filterOf(filter.where);
    const anchor = center !== undefined && "member" in center ? String(center.member) : undefined;
    const from = after?.center ?? (anchor === undefined ? (center as GeoPoint) : await this.#position(anchor));
    if (from === undefined && center !== undefined) return undefined;
    const area = areaAround(from ?? NOWHERE);
    const look = this.#store.looking(op, filter.fields === true || accepts !== undefined);
    const wish = { area, limit, after: after?.rank, except: anchor, accepts };
    const found = await search(look, wish, this.#store.density);
    const shown = filter.fields ?? true;
    const matches = found.map(({ about, ...match }) => ({ ...match, ...(shown && withFields(about)) }));
    return { center: area.center, matches };
  }
}

const ENTRIES = "[member, point] pairs, or with options as a third";
/** For an area that has a centre of its own. */
const NOWHERE: GeoPoint = { lon: 0, lat: 0 };

function placeOf(member: Id, point: GeoPoint, options: GeoAddOptions | undefined): Place {
  const { lon, lat } = checkPoint(point);
  const { fields } = givenOptions(options, ADD_NAMES);
  return { member: checkId("member", member), lon, lat, fields: storedFields(fields) };
}

function withFields(stored: string | undefined): { fields?: GeoFields } {
  const fields = stored === undefined ? undefined : fieldsOf(stored);
  return fields === undefined ? {} : { fields };
}

/** For tracing, before anything was checked. */
function nameOf(center: GeoCenter): Id | undefined {
  return typeof center === "object" && center !== null && "member" in center ? center.member : undefined;
}
