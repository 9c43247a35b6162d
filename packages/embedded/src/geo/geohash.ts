/**
 * Redis's geohashes: longitude and latitude as fixed-point numbers of `step` bits each, interleaved (latitude in the even
 * bits) into an integer that is a sorted set's score. Every floating-point operation is done in Redis's order, so that
 * coordinates come back with the same digits.
 *
 * The latitude is limited as in EPSG:3857; GEOHASH alone uses the ranges of geohash.org.
 */
export interface Position {
  readonly longitude: number;
  readonly latitude: number;
}

/** A cell of the grid which has `2 ** step` columns and rows. */
export interface Cell {
  readonly column: number;
  readonly row: number;
  readonly step: number;
}

/** Degrees. */
export interface Box {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

export const WORLD: Box = { west: -180, east: 180, south: -85.05112878, north: 85.05112878 };
const WHOLE_WORLD: Box = { west: -180, east: 180, south: -90, north: 90 };

/** Bits of a coordinate in a score. */
export const FULL_STEP = 26;

export function cellAt({ longitude, latitude }: Position, step: number, world: Box = WORLD): Cell {
  const row = (latitude - world.south) / (world.north - world.south);
  const column = (longitude - world.west) / (world.east - world.west);
  return { column: Math.floor(column * 2 ** step), row: Math.floor(row * 2 ** step), step };
}

export function boxOf({ column, row, step }: Cell): Box {
  const width = WORLD.east - WORLD.west;
  const height = WORLD.north - WORLD.south;
  const cells = 2 ** step;
  return {
    south: WORLD.south + (row / cells) * height,
    north: WORLD.south + ((row + 1) / cells) * height,
    west: WORLD.west + (column / cells) * width,
    east: WORLD.west + ((column + 1) / cells) * width,
  };
}

/** The cell that many columns to the east and rows to the north, around the world's edges. */
export function neighbour({ column, row, step }: Cell, east: number, north: number): Cell {
  const cells = 2 ** step;
  return { column: around(column, east, cells), row: around(row, north, cells), step };
}

/** The very edge of the world lies in a column or row one too many, and stays there while nothing moves. */
function around(place: number, by: number, cells: number): number {
  return by === 0 ? place : (place + by + cells) % cells;
}

/** The lowest score inside the cell, and the lowest above it. */
export function scoresOf(cell: Cell): { readonly min: number; readonly below: number } {
  const bits = interleave(cell);
  const unit = 4 ** (FULL_STEP - cell.step);
  return { min: bits * unit, below: (bits + 1) * unit };
}

export function scoreAt(position: Position): number {
  return interleave(cellAt(position, FULL_STEP));
}

/** The middle of the score's cell. A score that is no geohash yields a place at the world's edge. */
export function positionOf(score: number): Position {
  const { west, east, south, north } = boxOf(deinterleave(score));
  return {
    longitude: clamp((west + east) / 2, WORLD.west, WORLD.east),
    latitude: clamp((south + north) / 2, WORLD.south, WORLD.north),
  };
}

const ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz";

/** As geohash.org writes it. Of the eleven letters only ten have bits behind them; the last is always 0. */
export function geohashText(score: number): string {
  const bits = interleave(cellAt(positionOf(score), FULL_STEP, WHOLE_WORLD));
  let text = "";
  for (let i = 1; i <= 10; i += 1) text += ALPHABET.charAt(Math.floor(bits / 2 ** (2 * FULL_STEP - 5 * i)) % 32);
  return `${text}0`;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}

// ---- bits, in halves of 32 because a number's bit operations have no more

const HALF = 2 ** 32;

function interleave({ column, row }: Cell): number {
  const low = spread(row & 0xffff) | (spread(column & 0xffff) << 1);
  const high = spread(row >>> 16) | (spread(column >>> 16) << 1);
  return (high >>> 0) * HALF + (low >>> 0);
}

function deinterleave(score: number): Cell {
  const bits = toBits(score);
  const high = Math.floor(bits / HALF);
  const low = bits - high * HALF;
  return { row: join(low, high), column: join(low >>> 1, high >>> 1), step: FULL_STEP };
}

/** As C converts a double to 64 bits on x86: one too large becomes 0, one too small the highest bit alone. */
function toBits(score: number): number {
  if (score >= HALF ** 2) return 0;
  return score < -(2 ** 63) ? 2 ** 63 : Math.trunc(score);
}

function join(low: number, high: number): number {
  return (gather(low) | (gather(high) << 16)) >>> 0;
}

/** 16 bits, each followed by a zero. From https://graphics.stanford.edu/~seander/bithacks.html#InterleaveBMN. */
function spread(half: number): number {
  let x = (half | (half << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

/** The even bits of 32. */
function gather(bits: number): number {
  let x = bits & 0x55555555;
  x = (x | (x >>> 1)) & 0x33333333;
  x = (x | (x >>> 2)) & 0x0f0f0f0f;
  x = (x | (x >>> 4)) & 0x00ff00ff;
  return (x | (x >>> 8)) & 0xffff;
}
