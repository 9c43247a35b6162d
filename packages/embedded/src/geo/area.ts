/**
 * Searching around a position: up to nine cells of the geohash grid cover the area, each of them a range of scores; what lies in
 * a cell is then measured. The cells and their order are Redis's, because an unsorted answer shows them.
 */
import { distance, distanceOfLatitudes, EARTH_RADIUS, toDegrees, toRadians } from "./distance.ts";
import { type Box, boxOf, type Cell, cellAt, FULL_STEP, neighbour, type Position } from "./geohash.ts";

/** Lengths in metres. */
export type Shape =
  | { readonly kind: "circle"; readonly radius: number }
  | { readonly kind: "box"; readonly width: number; readonly height: number };

export interface Area {
  readonly centre: Position;
  readonly shape: Shape;
}

/** The distance from the centre, or undefined outside of the area. */
export function distanceInside({ centre, shape }: Area, position: Position): number | undefined {
  if (shape.kind === "circle") {
    const found = distance(centre, position);
    return found > shape.radius ? undefined : found;
  }
  if (distanceOfLatitudes(position.latitude, centre.latitude) > shape.height / 2) return undefined;
  const alongParallel = distance(position, { longitude: centre.longitude, latitude: position.latitude });
  return alongParallel > shape.width / 2 ? undefined : distance(centre, position);
}

/** Steps to the east and north, in Redis's order. */
const CENTRE = [0, 0] as const;
const NORTH = [0, 1] as const;
const SOUTH = [0, -1] as const;
const EAST = [1, 0] as const;
const WEST = [-1, 0] as const;
const DIRECTIONS = [CENTRE, NORTH, SOUTH, EAST, WEST, [1, 1], [-1, 1], [1, -1], [-1, -1]] as const;

/** The cells to look into. */
export function coveringCells(area: Area): Cell[] {
  const bounds = boundsOf(area);
  const cell = centralCell(area, bounds);
  const own = boxOf(cell);
  const needed = DIRECTIONS.filter(([east, north]) => {
    if (cell.step < 2) return true;
    if (own.south < bounds.south && north < 0) return false;
    if (own.north > bounds.north && north > 0) return false;
    if (own.west < bounds.west && east < 0) return false;
    return !(own.east > bounds.east && east > 0);
  });
  return withoutRepeats(needed.map(([east, north]) => neighbour(cell, east, north)));
}

/** Around the world's edges two neighbours can be the same cell. Like Redis, the centre is not compared with. */
function withoutRepeats(cells: readonly Cell[]): Cell[] {
  const kept: Cell[] = [];
  for (const cell of cells) {
    const last = kept[kept.length - 1];
    const repeats = kept.length > 1 && last?.column === cell.column && last.row === cell.row;
    if (!repeats) kept.push(cell);
  }
  return kept;
}

/** The cell of the centre, small enough to be quick and so large that its neighbours reach the area's ends. */
function centralCell({ centre, shape }: Area, bounds: Box): Cell {
  const radius = shape.kind === "circle" ? shape.radius : Math.sqrt((shape.width / 2) ** 2 + (shape.height / 2) ** 2);
  const cell = cellAt(centre, estimatedStep(radius, centre.latitude));
  if (cell.step === 1 || neighboursReach(cell, bounds)) return cell;
  return cellAt(centre, cell.step - 1);
}

function neighboursReach(cell: Cell, bounds: Box): boolean {
  const boxAt = ([east, north]: readonly [number, number]): Box => boxOf(neighbour(cell, east, north));
  return (
    boxAt(NORTH).north >= bounds.north &&
    boxAt(SOUTH).south <= bounds.south &&
    boxAt(EAST).east >= bounds.east &&
    boxAt(WEST).west <= bounds.west
  );
}

const MERCATOR_MAX = 20037726.37;

/** Cells are narrower towards the poles. */
function estimatedStep(radius: number, latitude: number): number {
  if (radius === 0) return FULL_STEP;
  let step = -1;
  for (let range = radius; range < MERCATOR_MAX; range *= 2) step += 1;
  if (Math.abs(latitude) > 66) step -= 1;
  if (Math.abs(latitude) > 80) step -= 1;
  return Math.min(Math.max(step, 1), FULL_STEP);
}

/** Measured at the end of the area that is nearer to a pole, where a metre is more degrees. */
function boundsOf({ centre: { longitude, latitude }, shape }: Area): Box {
  const height = shape.kind === "circle" ? shape.radius : shape.height / 2;
  const width = shape.kind === "circle" ? shape.radius : shape.width / 2;
  const latitudes = toDegrees(height / EARTH_RADIUS);
  const widest = latitude < 0 ? latitude - latitudes : latitude + latitudes;
  const longitudes = toDegrees(width / EARTH_RADIUS / Math.cos(toRadians(widest)));
  return {
    west: longitude - longitudes,
    east: longitude + longitudes,
    south: latitude - latitudes,
    north: latitude + latitudes,
  };
}
