/** Places, centres and sizes of searches: checked at the door, in the form that the scripts take. */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../base/options.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";

/** In degrees: longitude from -180 to 180, latitude from -85.05112878 to 85.05112878, where the server's map ends. */
export interface GeoPoint {
  readonly lon: number;
  readonly lat: number;
}

/** A point, or the member whose position it is. */
export type GeoCenter = GeoPoint | { readonly member: Id };

export interface GeoNearestOptions {
  /** How many, 1 to 10000. @default 10 */
  readonly count?: number;
  /** How far they may be. @default no limit */
  readonly maxMeters?: number;
}

export interface GeoRadiusOptions {
  readonly meters: number;
  /** At most this many, the nearest ones, 1 to 10000. @default 100 */
  readonly limit?: number;
}

export interface GeoBoxOptions {
  /** Extent from west to east, half of it on each side of the centre. */
  readonly widthMeters: number;
  /** Extent from south to north, half of it on each side of the centre. */
  readonly heightMeters: number;
  /** At most this many, the nearest ones, 1 to 10000. @default 100 */
  readonly limit?: number;
}

/** A centre as the scripts take it. */
export interface Center {
  /** A member, or "" for the coordinates. */
  readonly anchor: string;
  readonly lon: number;
  readonly lat: number;
}

/** Half of the server's great circle is 20,020.7 km: everything is within this. */
const WHOLE_EARTH_METERS = 20_100_000;
const MAX_LON = 180;
const MAX_LAT = 85.051_128_78;
/** A tenth of a millimetre. */
const EDGE = 1e-9;
const MAX_RESULTS = 10_000;
const NEAREST_NAMES: OptionNames<GeoNearestOptions> = { count: true, maxMeters: true };
const RADIUS_NAMES: OptionNames<GeoRadiusOptions> = { meters: true, limit: true };
const BOX_NAMES: OptionNames<GeoBoxOptions> = { widthMeters: true, heightMeters: true, limit: true };

/**
 * Returns the point as the server can store it: on the very eastern and northern edge of its map it computes a cell beyond the last
 * one, where no search looks. 180 degrees are the same meridian as -180.
 */
export function checkPoint(point: GeoPoint): GeoPoint {
  if (typeof point !== "object" || point === null) throw new InvalidArgumentError("point", "{ lon, lat }", point);
  const { lon, lat } = point;
  checkDegrees("lon", lon, MAX_LON);
  checkDegrees("lat", lat, MAX_LAT);
  return { lon: lon > MAX_LON - EDGE ? -MAX_LON : lon, lat: Math.min(lat, MAX_LAT - EDGE) };
}

export function centerOf(center: GeoCenter): Center {
  if (typeof center !== "object" || center === null)
    throw new InvalidArgumentError("center", "{ lon, lat } or { member }", center);
  if ("member" in center && center.member !== undefined)
    return { anchor: checkId("member", center.member), lon: 0, lat: 0 };
  const { lon, lat } = checkPoint(center as GeoPoint);
  return { anchor: "", lon, lat };
}

export function nearestArea(options: GeoNearestOptions | undefined): { radius: number; limit: number } {
  const { count = 10, maxMeters = WHOLE_EARTH_METERS } = givenOptions(options, NEAREST_NAMES);
  return { radius: checkMeters("maxMeters", maxMeters, 1), limit: checkCount("count", count) };
}

export interface Area {
  /** 0 for a box. */
  readonly radius: number;
  readonly width: number;
  readonly height: number;
  readonly limit: number;
}

export function circleArea(options: GeoRadiusOptions): Area {
  const { meters, limit = 100 } = givenOptions(options, RADIUS_NAMES);
  return { radius: checkMeters("meters", meters, 1), width: 0, height: 0, limit: checkCount("limit", limit) };
}

export function boxArea(options: GeoBoxOptions): Area {
  const { widthMeters, heightMeters, limit = 100 } = givenOptions(options, BOX_NAMES);
  return {
    radius: 0,
    width: checkMeters("widthMeters", widthMeters, 2),
    height: checkMeters("heightMeters", heightMeters, 2),
    limit: checkCount("limit", limit),
  };
}

function checkDegrees(field: string, degrees: number, max: number): void {
  if (typeof degrees === "number" && Math.abs(degrees) <= max) return;
  throw new InvalidArgumentError(field, `degrees from -${max} to ${max}`, degrees);
}

/** Cut to `earths` times the distance to the other side of the earth; there is nothing beyond. */
function checkMeters(field: string, meters: number, earths: 1 | 2): number {
  if (typeof meters === "number" && meters > 0) return Math.min(meters, earths * WHOLE_EARTH_METERS);
  throw new InvalidArgumentError(field, "a number of metres above 0", meters);
}

function checkCount(field: string, count: number): number {
  return wholeBetween(field, count, 1, MAX_RESULTS);
}
