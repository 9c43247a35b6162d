/** Places, areas and pages of searches: checked at the door. */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../base/options.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { checkPoint, checkRing, type GeoPoint } from "../core/earth/point.ts";
import type { GeoWhere } from "./fields.ts";
import { type Area, box, circle, polygon, WHOLE_EARTH_METERS } from "../core/earth/area.ts";

import type { Rank } from "./search/rank.ts";

/** A point, or the member whose position it is. */
export type GeoCenter = GeoPoint | { readonly member: Id };

export interface GeoFilter {
  /** Only members with these fields. @default any member */
  readonly where?: GeoWhere;
  /** Whether matches have their fields. @default false, true with `where` */
  readonly fields?: boolean;
}

export interface GeoNearestOptions extends GeoFilter {
  /** How many, 1 to 10000. @default 10 */
  readonly count?: number;
  /** How far they may be. @default no limit */
  readonly maxMeters?: number;
}

export interface GeoSearchOptions extends GeoFilter {
  /** At most this many, the nearest ones, 1 to 10000. @default 100 */
  readonly limit?: number;
}

export interface GeoRadiusOptions extends GeoSearchOptions {
  readonly meters: number;
}

export interface GeoBoxOptions extends GeoSearchOptions {
  /** Extent from west to east, half of it on each side of the centre. */
  readonly widthMeters: number;
  /** Extent from south to north, half of it on each side of the centre. */
  readonly heightMeters: number;
}

export interface GeoPolygonOptions extends GeoSearchOptions {
  /** Where distances are measured from. @default the middle of the polygon's extent */
  readonly center?: GeoPoint;
}

/** A circle, a box or a polygon. */
export type GeoArea =
  | { readonly center: GeoCenter; readonly meters: number }
  | { readonly center: GeoCenter; readonly widthMeters: number; readonly heightMeters: number }
  | { readonly polygon: Iterable<GeoPoint>; readonly center?: GeoPoint };

export interface GeoPageOptions extends GeoSearchOptions {
  /** The `cursor` of the page before. @default the beginning */
  readonly cursor?: string;
}

/** An area around a centre that is not known yet. */
export type AreaAround = (center: GeoPoint) => Area;

export interface Search {
  /** Undefined where the area has one of its own. */
  readonly center: GeoCenter | undefined;
  readonly areaAround: AreaAround;
  readonly limit: number;
  readonly filter: GeoFilter;
  readonly after?: { readonly rank: Rank; readonly center: GeoPoint } | undefined;
}

const MAX_RESULTS = 10_000;
const FILTER_NAMES = { where: true, fields: true } as const;
const LIMIT_NAMES = { ...FILTER_NAMES, limit: true } as const;
const NEAREST_NAMES: OptionNames<GeoNearestOptions> = { ...FILTER_NAMES, count: true, maxMeters: true };
const RADIUS_NAMES: OptionNames<GeoRadiusOptions> = { ...LIMIT_NAMES, meters: true };
const BOX_NAMES: OptionNames<GeoBoxOptions> = { ...LIMIT_NAMES, widthMeters: true, heightMeters: true };
const POLYGON_NAMES: OptionNames<GeoPolygonOptions> = { ...LIMIT_NAMES, center: true };
const PAGE_NAMES: OptionNames<GeoPageOptions> = { ...LIMIT_NAMES, cursor: true };
const CIRCLE_AREA = { center: true, meters: true } as const;
const BOX_AREA = { center: true, widthMeters: true, heightMeters: true } as const;
const POLYGON_AREA = { polygon: true, center: true } as const;

export function checkCenter(center: GeoCenter): GeoCenter {
  if (typeof center !== "object" || center === null)
    throw new InvalidArgumentError("center", "{ lon, lat } or { member }", center);
  if ("member" in center && center.member !== undefined) return { member: checkId("member", center.member) };
  return checkPoint(center as GeoPoint);
}

export function nearestSearch(center: GeoCenter, options: GeoNearestOptions | undefined): Search {
  const checked = checkCenter(center);
  const { count = 10, maxMeters = WHOLE_EARTH_METERS, ...filter } = givenOptions(options, NEAREST_NAMES);
  const radius = checkMeters("maxMeters", maxMeters);
  return { center: checked, areaAround: (at) => circle(at, radius), limit: checkCount("count", count), filter };
}

export function radiusSearch(center: GeoCenter, options: GeoRadiusOptions): Search {
  const checked = checkCenter(center);
  const { meters, limit, ...filter } = givenOptions(options, RADIUS_NAMES);
  return { center: checked, areaAround: circleArea(meters), limit: checkLimit(limit), filter };
}

export function boxSearch(center: GeoCenter, options: GeoBoxOptions): Search {
  const checked = checkCenter(center);
  const { widthMeters, heightMeters, limit, ...filter } = givenOptions(options, BOX_NAMES);
  return { center: checked, areaAround: boxArea(widthMeters, heightMeters), limit: checkLimit(limit), filter };
}

export function polygonSearch(corners: Iterable<GeoPoint>, options: GeoPolygonOptions | undefined): Search {
  const { center, limit, ...filter } = givenOptions(options, POLYGON_NAMES);
  return { center: undefined, areaAround: polygonArea(corners, center), limit: checkLimit(limit), filter };
}

export function pageSearch(area: GeoArea, options: GeoPageOptions | undefined): Search {
  const { cursor, limit, ...filter } = givenOptions(options, PAGE_NAMES);
  const after = cursor === undefined ? undefined : afterOf(cursor);
  return { ...searchOfArea(area), limit: checkLimit(limit), filter, after };
}

export function cursorOf({ lon, lat }: GeoPoint, { meters, member }: Rank): string {
  return Buffer.from(JSON.stringify([lon, lat, meters, member])).toString("base64url");
}

function searchOfArea(area: GeoArea): Pick<Search, "center" | "areaAround"> {
  if (typeof area !== "object" || area === null)
    throw new InvalidArgumentError(
      "area",
      "{ center, meters }, { center, widthMeters, heightMeters } or { polygon }",
      area,
    );
  if ("polygon" in area) {
    const { polygon: corners, center } = givenOptions(area, POLYGON_AREA, "area");
    return { center: undefined, areaAround: polygonArea(corners, center) };
  }
  if ("meters" in area) {
    const { center, meters } = givenOptions(area, CIRCLE_AREA, "area");
    return { center: checkCenter(center), areaAround: circleArea(meters) };
  }
  const { center, widthMeters, heightMeters } = givenOptions(area, BOX_AREA, "area");
  return { center: checkCenter(center), areaAround: boxArea(widthMeters, heightMeters) };
}

function circleArea(meters: number): AreaAround {
  const radius = checkMeters("meters", meters);
  return (center) => circle(center, radius);
}

function boxArea(widthMeters: number, heightMeters: number): AreaAround {
  const [width, height] = [checkMeters("widthMeters", widthMeters, 2), checkMeters("heightMeters", heightMeters, 2)];
  return (center) => box(center, width, height);
}

/** It has a centre of its own. */
function polygonArea(corners: Iterable<GeoPoint>, center: GeoPoint | undefined): AreaAround {
  const ring = checkRing(corners);
  const area = polygon(ring, center === undefined ? undefined : checkPoint(center, "center"));
  return () => area;
}

function afterOf(cursor: string): NonNullable<Search["after"]> {
  try {
    const [lon, lat, meters, member] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
    if (typeof meters === "number" && typeof member === "string")
      return { rank: { meters, member }, center: checkPoint({ lon, lat } as GeoPoint) };
  } catch {
    // Refused below.
  }
  throw new InvalidArgumentError("cursor", "the cursor of a page", cursor);
}

/** Cut to `earths` times the distance to the other side of the earth; there is nothing beyond. */
function checkMeters(field: string, meters: number, earths: 1 | 2 = 1): number {
  if (typeof meters === "number" && meters > 0) return Math.min(meters, earths * WHOLE_EARTH_METERS);
  throw new InvalidArgumentError(field, "a number of metres above 0", meters);
}

function checkLimit(limit = 100): number {
  return checkCount("limit", limit);
}

function checkCount(field: string, count: number): number {
  return wholeBetween(field, count, 1, MAX_RESULTS);
}
