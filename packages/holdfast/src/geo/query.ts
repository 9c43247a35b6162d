/** What a search is asked for: places, centres and sizes, checked at the door, as the scripts take them. */
import { InvalidArgumentError } from "../base/errors.ts";
import type { Id } from "../core/keyspace/keyspace.ts";

/** In degrees: longitude from -180 to 180, latitude from -85.05112878 to 85.05112878, where the server's map ends. */
export interface GeoPoint {
  readonly lon: number;
  readonly lat: number;
}

/** A point, or the member whose position it is. */
export type GeoCenter = GeoPoint | { readonly member: Id };

export interface NearestOptions {
  /** How many, 1 to 10000. @default 10 */
  readonly count?: number;
  /** How far they may be. @default no limit */
  readonly maxMeters?: number;
}

export interface RadiusOptions {
  readonly meters: number;
  /** At most so many, the nearest, 1 to 10000. @default 100 */
  readonly limit?: number;
}

export interface BoxOptions {
  /** Extent from west to east, half of it on each side of the centre. */
  readonly widthMeters: number;
  /** Extent from south to north, half of it on each side of the centre. */
  readonly heightMeters: number;
  /** At most so many, the nearest, 1 to 10000. @default 100 */
  readonly limit?: number;
}

/** A centre as the scripts take it. */
export interface Center {
  /** A member, or "" for the coordinates. */
  readonly anchor: string;
  readonly lon: number;
  readonly lat: number;
}

/** Half of the server's great circle is 20,020.7 km: within this there is everything. */
const WHOLE_EARTH_METERS = 20_100_000;
const MAX_LON = 180;
const MAX_LAT = 85.051_128_78;
/** A tenth of a millimetre. */
const EDGE = 1e-9;
const MAX_RESULTS = 10_000;
const MAX_MEMBER_LENGTH = 1_024;
/** Half of a character, which UTF-8 cannot hold: two such members would become one. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The point as the server can keep it: on the very eastern and northern edge of its map it computes a cell beyond the last
 * one, where no search looks. 180 degrees are the same meridian as -180.
 */
export function checkPoint(point: GeoPoint): GeoPoint {
  if (typeof point !== "object" || point === null) throw new InvalidArgumentError("point", "{ lon, lat }", point);
  const { lon, lat } = point;
  checkDegrees("lon", lon, MAX_LON);
  checkDegrees("lat", lat, MAX_LAT);
  return { lon: lon > MAX_LON - EDGE ? -MAX_LON : lon, lat: Math.min(lat, MAX_LAT - EDGE) };
}

export function checkMember(field: string, member: Id): string {
  if (typeof member === "number" && Number.isFinite(member)) return String(member);
  const fits = typeof member === "string" && member.length > 0 && member.length <= MAX_MEMBER_LENGTH;
  if (fits && !LONE_SURROGATE.test(member)) return member;
  throw new InvalidArgumentError(
    field,
    `a well-formed, non-empty string of at most ${MAX_MEMBER_LENGTH} characters or a finite number`,
    member,
  );
}

export function centerOf(center: GeoCenter): Center {
  if (typeof center !== "object" || center === null)
    throw new InvalidArgumentError("center", "{ lon, lat } or { member }", center);
  if ("member" in center) return { anchor: checkMember("member", center.member), lon: 0, lat: 0 };
  const { lon, lat } = checkPoint(center);
  return { anchor: "", lon, lat };
}

export function nearestArea(options: NearestOptions): { radius: number; limit: number } {
  const { count = 10, maxMeters = WHOLE_EARTH_METERS } = options;
  return { radius: checkMeters("maxMeters", maxMeters, 1), limit: checkCount("count", count) };
}

export interface Area {
  /** 0 for a box. */
  readonly radius: number;
  readonly width: number;
  readonly height: number;
  readonly limit: number;
}

export function circleArea({ meters, limit = 100 }: RadiusOptions): Area {
  return { radius: checkMeters("meters", meters, 1), width: 0, height: 0, limit: checkCount("limit", limit) };
}

export function boxArea({ widthMeters, heightMeters, limit = 100 }: BoxOptions): Area {
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

/** Cut to `earths` times the way to the other side of the earth; more would say nothing more. */
function checkMeters(field: string, meters: number, earths: 1 | 2): number {
  if (typeof meters === "number" && meters > 0) return Math.min(meters, earths * WHOLE_EARTH_METERS);
  throw new InvalidArgumentError(field, "a number of metres above 0", meters);
}

function checkCount(field: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 1 && count <= MAX_RESULTS) return count;
  throw new InvalidArgumentError(field, `a whole number from 1 to ${MAX_RESULTS}`, count);
}
