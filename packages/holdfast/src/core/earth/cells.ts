/**
 * The server's map as a quadtree. A geo set's scores are cells of 52 bits: bits of longitude and latitude, alternating, so that the members of
 * a larger cell are a range of scores.
 */
import { EARTH_RADIUS, type Point, radians, type Rect } from "./sphere.ts";

/** One of 4^step equal parts of the map, in degrees. */
export interface Cell {
  readonly step: number;
  /** Its bits, alternating. */
  readonly hash: number;
  /** From the west, and from the south, among 2^step. */
  readonly x: number;
  readonly y: number;
}

/** Where a cell is one place. */
export const MAX_STEP = 26;
export const MAX_LON = 180;
export const MAX_LAT = 85.051_128_78;
const SIDE = 2 ** MAX_STEP;

export const WHOLE_MAP: Cell = { step: 0, hash: 0, x: 0, y: 0 };

export function childrenOf({ step, hash, x, y }: Cell): Cell[] {
  return [0, 1, 2, 3].map((quarter) => ({
    step: step + 1,
    hash: hash * 4 + quarter,
    x: x * 2 + (quarter >> 1),
    y: y * 2 + (quarter & 1),
  }));
}

export function rectOf({ step, x, y }: Cell): Rect {
  const parts = 2 ** step;
  const width = (2 * MAX_LON) / parts;
  const height = (2 * MAX_LAT) / parts;
  return {
    west: x * width - MAX_LON,
    east: (x + 1) * width - MAX_LON,
    south: y * height - MAX_LAT,
    north: (y + 1) * height - MAX_LAT,
  };
}

/** The scores of a cell's members: from the first one to before the second one. */
export function scoresOf({ step, hash }: Cell): [first: number, end: number] {
  const width = 4 ** (MAX_STEP - step);
  return [hash * width, (hash + 1) * width];
}

/** The cell with this point, at this step. */
export function cellAt({ lon, lat }: Point, step: number): Cell {
  const parts = 2 ** step;
  const part = (degrees: number, max: number): number =>
    Math.min(parts - 1, Math.max(0, Math.floor(((degrees + max) / (2 * max)) * parts)));
  const [x, y] = [part(lon, MAX_LON), part(lat, MAX_LAT)];
  let hash = 0;
  for (let bit = step - 1; bit >= 0; bit -= 1)
    hash = hash * 4 + (Math.floor(x / 2 ** bit) % 2) * 2 + (Math.floor(y / 2 ** bit) % 2);
  return { step, hash, x, y };
}

/** Square metres of what one score stands for, at a latitude. */
export function metersOfScore(lat: number): number {
  const metersPerDegree = radians(1) * EARTH_RADIUS;
  return ((2 * MAX_LON * metersPerDegree * Math.cos(radians(lat))) / SIDE) * ((2 * MAX_LAT * metersPerDegree) / SIDE);
}

/** The place that a score stands for, as the server's GEOPOS computes it. */
export function pointOf(score: number): Point {
  const high = Math.floor(score / SIDE);
  const low = score - high * SIDE;
  const lat = evenBits(low) + evenBits(high) * 2 ** (MAX_STEP / 2);
  const lon = evenBits(low >>> 1) + evenBits(high >>> 1) * 2 ** (MAX_STEP / 2);
  return { lon: middle(lon, MAX_LON), lat: middle(lat, MAX_LAT) };
}

function middle(part: number, max: number): number {
  const from = -max + (part / SIDE) * (max + max);
  const to = -max + ((part + 1) / SIDE) * (max + max);
  return Math.min(max, Math.max(-max, (from + to) / 2));
}

/** Every second bit, pushed together. */
function evenBits(bits: number): number {
  let even = bits & 0x55555555;
  even = (even | (even >>> 1)) & 0x33333333;
  even = (even | (even >>> 2)) & 0x0f0f0f0f;
  even = (even | (even >>> 4)) & 0x00ff00ff;
  return (even | (even >>> 8)) & 0xffff;
}
