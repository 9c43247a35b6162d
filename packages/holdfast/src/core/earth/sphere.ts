/** Distances on the server's earth, a sphere. Degrees in, metres out. */

export interface Point {
  readonly lon: number;
  readonly lat: number;
}

/** Sides in degrees. It does not go over the 180th meridian: `west` is at most `east`. */
export interface Rect {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

/** The server's. */
export const EARTH_RADIUS = 6_372_797.560856;
const HALF_WAY = Math.PI * EARTH_RADIUS;

export const radians = (degrees: number): number => (degrees * Math.PI) / 180;

export function metersBetween(a: Point, b: Point): number {
  const u = Math.sin((radians(b.lat) - radians(a.lat)) / 2);
  const v = Math.sin((radians(b.lon) - radians(a.lon)) / 2);
  const square = u * u + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * v * v;
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(Math.min(1, square)));
}

/** From a point to the nearest one of a rectangle. */
export function metersTo(from: Point, rect: Rect): number {
  const { west, east, south, north } = rect;
  const turns = Math.ceil((west - from.lon) / 360);
  if (from.lon + turns * 360 <= east) {
    const lat = Math.min(Math.max(from.lat, south), north);
    return EARTH_RADIUS * Math.abs(radians(lat) - radians(from.lat));
  }
  return Math.min(toMeridian(from, west, south, north), toMeridian(from, east, south, north));
}

/** From a point to the farthest one of a rectangle: it is the nearest one to the other side of the earth. */
export function metersAcross(from: Point, rect: Rect): number {
  return HALF_WAY - metersTo({ lon: from.lon > 0 ? from.lon - 180 : from.lon + 180, lat: -from.lat }, rect);
}

/**
 * From a point to the nearest one of a meridian's arc. Along a meridian the cosine of the distance is that of the way to its nearest point,
 * times a factor.
 */
function toMeridian(from: Point, lon: number, south: number, north: number): number {
  const lat = radians(from.lat);
  const nearest = Math.atan2(Math.sin(lat), Math.cos(lat) * Math.cos(radians(from.lon - lon))) * (180 / Math.PI);
  if (nearest >= south && nearest <= north) return metersBetween(from, { lon, lat: nearest });
  return Math.min(metersBetween(from, { lon, lat: south }), metersBetween(from, { lon, lat: north }));
}
