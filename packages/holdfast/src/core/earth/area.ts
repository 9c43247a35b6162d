/** What a search looks for: a circle, a box, a polygon. Each knows its points, and which rectangles of the map may have one. */
import { EARTH_RADIUS, metersBetween, metersTo, type Point, radians, type Rect } from "./sphere.ts";
import { type Ring, ringCenter, ringContains, ringTouches } from "./ring.ts";

export interface Area {
  /** Where distances are measured from. */
  readonly center: Point;
  /** No point is farther from the centre. */
  readonly radius: number;
  /** Whether it is everything within the radius. */
  readonly isCircle: boolean;
  contains(point: Point, meters: number): boolean;
  /** False only if no point of the rectangle belongs to the area. */
  touches(rect: Rect): boolean;
}

/** Beyond what rounding does to a distance. */
const SLACK_METERS = 0.01;
/** Half of the server's great circle is 20,020.7 km: everything is within this. */
export const WHOLE_EARTH_METERS = 20_100_000;
const DEGREES = 180 / Math.PI;

export function circle(center: Point, radius: number): Area {
  return {
    center,
    radius,
    isCircle: true,
    contains: (_, meters) => meters <= radius,
    touches: (rect) => metersTo(center, rect) <= radius + SLACK_METERS,
  };
}

/** As the server's BYBOX: the height along the meridian, the width along each point's parallel. */
export function box(center: Point, width: number, height: number): Area {
  const halfHeight = (height / 2 / EARTH_RADIUS) * DEGREES;
  const [south, north] = [center.lat - halfHeight, center.lat + halfHeight];
  const westEast = (lat: number): number => {
    // The chord that as long a way makes on the parallel.
    const sine = Math.sin(Math.min(Math.PI / 2, width / 4 / EARTH_RADIUS)) / Math.cos(radians(lat));
    return sine >= 1 ? 180 : 2 * Math.asin(sine) * DEGREES;
  };
  const [farWest, farEast] = [
    center.lon - westEast(farthest(south, north)),
    center.lon + westEast(farthest(south, north)),
  ];
  return {
    center,
    radius: WHOLE_EARTH_METERS,
    isCircle: false,
    contains: ({ lon, lat }) =>
      EARTH_RADIUS * Math.abs(radians(lat - center.lat)) <= height / 2 &&
      metersBetween({ lon, lat }, { lon: center.lon, lat }) <= width / 2,
    touches: (rect) => {
      if (rect.north < south - 1e-7 || rect.south > north + 1e-7) return false;
      return [-360, 0, 360].some((turn) => rect.east + turn >= farWest - 1e-7 && rect.west + turn <= farEast + 1e-7);
    },
  };
}

/** The latitude with the shortest parallel. */
function farthest(south: number, north: number): number {
  return Math.min(89.999, Math.max(Math.abs(south), Math.abs(north)));
}

export function polygon(ring: Ring, center: Point = ringCenter(ring)): Area {
  return {
    center,
    radius: WHOLE_EARTH_METERS,
    isCircle: false,
    contains: (point) => ringContains(ring, point),
    touches: (rect) => ringTouches(ring, rect),
  };
}
