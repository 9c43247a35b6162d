/** Distances on a sphere by the haversine formula, with Redis's radius and its order of operations. Metres. */
import type { Position } from "./geohash.ts";

export const EARTH_RADIUS = 6372797.560856;
const DEGREE = Math.PI / 180;

export function toRadians(degrees: number): number {
  return degrees * DEGREE;
}

export function toDegrees(radians: number): number {
  return radians / DEGREE;
}

export function distance(a: Position, b: Position): number {
  const v = Math.sin((toRadians(b.longitude) - toRadians(a.longitude)) / 2);
  if (v === 0) return distanceOfLatitudes(a.latitude, b.latitude);
  const latitude1 = toRadians(a.latitude);
  const latitude2 = toRadians(b.latitude);
  const u = Math.sin((latitude2 - latitude1) / 2);
  const h = u * u + Math.cos(latitude1) * Math.cos(latitude2) * v * v;
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(h));
}

export function distanceOfLatitudes(a: number, b: number): number {
  return EARTH_RADIUS * Math.abs(toRadians(b) - toRadians(a));
}
