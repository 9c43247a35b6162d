/** How far a place is outside, where only some metres matter: on the plane that touches the earth there. */
import { type Ring, sides } from "./ring.ts";
import { EARTH_RADIUS, type Point, radians, type Rect } from "./sphere.ts";

/** From a point outside to the nearest side of a polygon. */
export function metersToRing(point: Point, ring: Ring): number {
  const { west, east } = ring.bounds;
  const turns = [-360, 0, 360].filter((turn) => point.lon + turn >= west - 180 && point.lon + turn <= east + 180);
  const lons = turns.length > 0 ? turns.map((turn) => point.lon + turn) : [point.lon];
  return Math.min(...lons.flatMap((lon) => sides(ring.corners).map((side) => toSide({ lon, lat: point.lat }, side))));
}

/** With a border of so many metres around it. */
export function widened(rect: Rect, meters: number): Rect {
  const height = (meters / EARTH_RADIUS) * (180 / Math.PI);
  const lat = Math.min(89, Math.max(Math.abs(rect.north), Math.abs(rect.south)) + height);
  const width = height / Math.cos(radians(lat));
  return { west: rect.west - width, east: rect.east + width, south: rect.south - height, north: rect.north + height };
}

function toSide(point: Point, [a, b]: readonly [Point, Point]): number {
  const scale = radians(1) * EARTH_RADIUS;
  const east = scale * Math.cos(radians(point.lat));
  const [ax, ay] = [(a.lon - point.lon) * east, (a.lat - point.lat) * scale];
  const [dx, dy] = [(b.lon - a.lon) * east, (b.lat - a.lat) * scale];
  const length = dx * dx + dy * dy;
  const part = length === 0 ? 0 : Math.min(1, Math.max(0, -(ax * dx + ay * dy) / length));
  return Math.hypot(ax + part * dx, ay + part * dy);
}
