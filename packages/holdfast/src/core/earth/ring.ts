/**
 * A polygon's outline. Its sides are straight in degrees, as those of GeoJSON are (RFC 7946), and each takes the shorter way around the
 * earth, so an outline may cross the 180th meridian. Its longitudes are kept unwrapped: from one corner to the next less than 180 apart.
 */
import type { Point, Rect } from "./sphere.ts";

export interface Ring {
  readonly corners: readonly Point[];
  readonly bounds: Rect;
}

/** What is wrong with the corners, or the ring that they are. */
export function ringOf(corners: readonly Point[]): Ring | string {
  const first = corners[0];
  const last = corners.at(-1);
  const open =
    corners.length > 1 && first!.lon === last!.lon && first!.lat === last!.lat ? corners.slice(0, -1) : corners;
  if (open.length < 3) return "at least 3 different corners";
  const unwrapped: Point[] = [open[0]!];
  let given = open[0]!.lon;
  for (const { lon, lat } of [...open.slice(1), open[0]!]) {
    const before = unwrapped.at(-1)!.lon;
    const turn = (((lon - before) % 360) + 540) % 360;
    if (turn === 0 || Math.abs(lon - given) >= 360)
      return "sides that are less than 180 degrees of longitude long: of a longer one it is not known which way it goes";
    unwrapped.push({ lon: before + turn - 180, lat });
    given = lon;
  }
  const closing = unwrapped.pop()!;
  if (Math.abs(closing.lon - unwrapped[0]!.lon) > 180)
    return "an outline that does not go around a pole: the server's map ends at 85.05 degrees; use two polygons, or a circle";
  const lons = unwrapped.map(({ lon }) => lon);
  const lats = unwrapped.map(({ lat }) => lat);
  const bounds = {
    west: Math.min(...lons),
    east: Math.max(...lons),
    south: Math.min(...lats),
    north: Math.max(...lats),
  };
  return { corners: unwrapped, bounds };
}

export function ringCenter({ bounds: { west, east, south, north } }: Ring): Point {
  const lon = (west + east) / 2;
  return { lon: lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon, lat: (south + north) / 2 };
}

/** Even-odd: what an outline that crosses itself goes around twice is outside. */
export function ringContains(ring: Ring, { lon, lat }: Point): boolean {
  const { west, east, south, north } = ring.bounds;
  if (lat < south || lat > north) return false;
  return turnsWithin(lon, lon, west, east).some((turn) => isInside(ring.corners, lon + turn, lat));
}

/** False only if the rectangle and the ring have no point in common. */
export function ringTouches(ring: Ring, rect: Rect): boolean {
  const { west, east, south, north } = ring.bounds;
  if (rect.north < south || rect.south > north) return false;
  return turnsWithin(rect.west, rect.east, west, east).some((turn) => {
    const moved = { ...rect, west: rect.west + turn, east: rect.east + turn };
    return (
      isInside(ring.corners, moved.west, moved.south) || sides(ring.corners).some(([a, b]) => crosses(a, b, moved))
    );
  });
}

/** The turns around the earth by which longitudes from `from` to `to` meet those from `west` to `east`. */
function turnsWithin(from: number, to: number, west: number, east: number): number[] {
  const turns: number[] = [];
  for (let turn = Math.ceil((west - to) / 360) * 360; from + turn <= east; turn += 360) turns.push(turn);
  return turns;
}

function isInside(corners: readonly Point[], lon: number, lat: number): boolean {
  let inside = false;
  for (const [a, b] of sides(corners)) {
    if (a.lat > lat !== b.lat > lat && lon < ((b.lon - a.lon) * (lat - a.lat)) / (b.lat - a.lat) + a.lon)
      inside = !inside;
  }
  return inside;
}

export function sides(corners: readonly Point[]): [Point, Point][] {
  return corners.map((corner, at) => [corners[at === 0 ? corners.length - 1 : at - 1]!, corner]);
}

/** Whether a side has a point in the rectangle (Liang and Barsky). */
function crosses(a: Point, b: Point, { west, east, south, north }: Rect): boolean {
  let [from, to] = [0, 1];
  const [dx, dy] = [b.lon - a.lon, b.lat - a.lat];
  for (const [way, room] of [
    [-dx, a.lon - west],
    [dx, east - a.lon],
    [-dy, a.lat - south],
    [dy, north - a.lat],
  ] as const) {
    if (way === 0 && room < 0) return false;
    if (way < 0) from = Math.max(from, room / way);
    if (way > 0) to = Math.min(to, room / way);
  }
  return from <= to;
}
