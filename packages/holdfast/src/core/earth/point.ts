/** Points and polygons from users: checked, as the server's map can hold them. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { listOf } from "../../base/options.ts";
import { MAX_LAT, MAX_LON } from "./cells.ts";
import { type Ring, ringOf } from "./ring.ts";

/** In degrees: longitude from -180 to 180, latitude from -85.05112878 to 85.05112878, where the server's map ends. */
export interface GeoPoint {
  readonly lon: number;
  readonly lat: number;
}

/** A tenth of a millimetre. */
const EDGE = 1e-9;
const MAX_CORNERS = 1_000;

/**
 * Returns the point as the server can store it: on the very eastern and northern edge of its map it computes a cell beyond the last
 * one, where no search looks. 180 degrees are the same meridian as -180.
 */
export function checkPoint(point: GeoPoint, field = "point"): GeoPoint {
  const { lon, lat } = checkDegrees(point, field);
  return { lon: lon > MAX_LON - EDGE ? -MAX_LON : lon, lat: Math.min(lat, MAX_LAT - EDGE) };
}

/** The outline of a polygon with these corners. */
export function checkRing(corners: Iterable<GeoPoint>): Ring {
  const points = listOf<GeoPoint>("polygon", corners, "corners").map((corner) => checkDegrees(corner, "polygon"));
  if (points.length > MAX_CORNERS)
    throw new InvalidArgumentError("polygon", `at most ${MAX_CORNERS} corners`, points.length);
  const ring = ringOf(points);
  if (typeof ring === "string") throw new InvalidArgumentError("polygon", ring, corners);
  return ring;
}

function checkDegrees(point: GeoPoint, field: string): GeoPoint {
  if (typeof point !== "object" || point === null) throw new InvalidArgumentError(field, "{ lon, lat }", point);
  const { lon, lat } = point;
  checkWithin("lon", lon, MAX_LON);
  checkWithin("lat", lat, MAX_LAT);
  return { lon, lat };
}

function checkWithin(field: string, degrees: number, max: number): void {
  if (typeof degrees === "number" && Math.abs(degrees) <= max) return;
  throw new InvalidArgumentError(field, `degrees from -${max} to ${max}`, degrees);
}
