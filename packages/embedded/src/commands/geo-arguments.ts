/** What the geo commands read and print. */
import { fail } from "../base/errors.ts";
import { type Position, positionOf, WORLD } from "../geo/geohash.ts";
import { doubleArgument, trimZeros } from "../base/numbers.ts";
import { Double, type Reply } from "../base/reply.ts";
import type { SortedSetValue } from "../values/sorted-set.ts";

/** Metres in a unit; 1609.34 is Redis's mile. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ["M", 1],
  ["KM", 1000],
  ["FT", 0.3048],
  ["MI", 1609.34],
]);

/** Metres in the unit of this name. */
export function unitArgument(text: string): number {
  return UNITS.get(text.toUpperCase()) ?? fail("ERR unsupported unit provided. please use M, KM, FT, MI");
}

export function positionArgument(longitudeText: string, latitudeText: string): Position {
  const longitude = doubleArgument(longitudeText);
  const latitude = doubleArgument(latitudeText);
  if (longitude < WORLD.west || longitude > WORLD.east || latitude < WORLD.south || latitude > WORLD.north) {
    fail(`ERR invalid longitude,latitude pair ${sixDigits(longitude)},${sixDigits(latitude)}`);
  }
  return { longitude, latitude };
}

/** C's `%f`. */
function sixDigits(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.000000";
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}

export function positionOfMember(zset: SortedSetValue, member: string): Position | undefined {
  const score = zset.score(member);
  return score === undefined ? undefined : positionOf(score);
}

/** Longitude and latitude, each with as many of 17 digits as it has (Redis's "human" long doubles). */
export function positionReply({ longitude, latitude }: Position): Reply {
  return [longitude, latitude].map((value) => new Double(value, trimZeros(value.toFixed(17))));
}

/** Four digits after the point, ties to even. */
export function distanceReply(distance: number): Reply {
  const scaled = distance * 10_000;
  const below = Math.floor(scaled);
  const isUp = scaled - below > 0.5 || (scaled - below === 0.5 && below % 2 === 1);
  const digits = String(isUp ? below + 1 : below).padStart(5, "0");
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`;
}
