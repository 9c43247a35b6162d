/** A fence: its shape, whether a point is in it, and the cells of the map that it is found by. */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, listOf, wholeBetween } from "../base/options.ts";
import { type Area, circle, polygon, WHOLE_EARTH_METERS } from "../core/earth/area.ts";
import { type Cell, cellAt, childrenOf, rectOf, WHOLE_MAP } from "../core/earth/cells.ts";
import { metersToRing, widened } from "../core/earth/margin.ts";
import { checkPoint, checkRing, type GeoPoint } from "../core/earth/point.ts";
import type { Ring } from "../core/earth/ring.ts";
import { metersBetween, type Rect } from "../core/earth/sphere.ts";

/** A circle, or a polygon: of 3 to 256 corners, straight in degrees, the shorter way around the earth. */
export type GeofenceShape =
  | { readonly center: GeoPoint; readonly meters: number }
  | { readonly polygon: readonly GeoPoint[] };

/** Where a point is: `near` is outside, within the margin. */
export type Side = "inside" | "near" | "outside";

interface StoredFence {
  readonly shape: GeofenceShape;
  readonly margin: number;
}

/** Every other level of the quadtree, so that a point is in 13 cells. */
const STEPS: readonly number[] = Array.from({ length: 13 }, (_, at) => at * 2);
const LAST_STEP = STEPS.at(-1)!;
const MAX_CELLS = 24;
const MAX_CORNERS = 256;
/** Fences by their texts, so that the same one is not read for each position. */
const read = new Map<string, Fence>();
const MAX_READ = 500;

export function checkShape(shape: GeofenceShape): GeofenceShape {
  if (typeof shape !== "object" || shape === null)
    throw new InvalidArgumentError("shape", "{ center, meters } or { polygon }", shape);
  if ("polygon" in shape) {
    const { polygon: corners } = givenOptions(shape, { polygon: true }, "shape");
    // Only once, as it may be an iterator.
    const given = listOf("polygon", corners, "corners");
    wholeBetween("polygon", checkRing(given).corners.length, 3, MAX_CORNERS);
    return { polygon: given.map(({ lon, lat }) => ({ lon, lat })) };
  }
  const { center, meters } = givenOptions(shape, { center: true, meters: true }, "shape");
  if (!(typeof meters === "number" && meters > 0 && meters <= WHOLE_EARTH_METERS / 2))
    throw new InvalidArgumentError("meters", "metres above 0 and up to a quarter of the earth", meters);
  return { center: checkPoint(center, "center"), meters };
}

export class Fence {
  readonly shape: GeofenceShape;
  readonly margin: number;
  readonly #area: Area;
  readonly #ring: Ring | undefined;

  constructor(shape: GeofenceShape, margin: number) {
    this.shape = shape;
    this.margin = margin;
    this.#ring = "polygon" in shape ? checkRing(shape.polygon) : undefined;
    this.#area = "polygon" in shape ? polygon(this.#ring!) : circle(shape.center, shape.meters);
  }

  static stored(text: string): Fence {
    const known = read.get(text);
    if (known !== undefined) return known;
    const { shape, margin } = JSON.parse(text) as StoredFence;
    const fence = new Fence(shape, margin);
    if (read.size >= MAX_READ) read.clear();
    read.set(text, fence);
    return fence;
  }

  get text(): string {
    return JSON.stringify({ shape: this.shape, margin: this.margin } satisfies StoredFence);
  }

  sideOf(point: GeoPoint): Side {
    const meters = metersBetween(this.#area.center, point);
    if (this.#area.contains(point, meters)) return "inside";
    const outside = this.#ring === undefined ? meters - this.#area.radius : metersToRing(point, this.#ring);
    return outside <= this.margin ? "near" : "outside";
  }

  /** Names of cells that cover the fence and its margin: at most 24, where one more level would make more. */
  cover(): string[] {
    let cells: Cell[] = [WHOLE_MAP];
    for (const step of STEPS.slice(1)) {
      const finer = cells.flatMap(grandchildrenOf).filter((cell) => this.#touches(rectOf(cell)));
      if (finer.length > MAX_CELLS) break;
      cells = finer;
      if (step === LAST_STEP) break;
    }
    return cells.map(nameOf);
  }

  #touches(rect: Rect): boolean {
    return this.#area.touches(this.margin === 0 ? rect : widened(rect, this.margin));
  }
}

/** Names of the cells that a point is in. */
export function cellsAround(point: GeoPoint): string[] {
  return STEPS.map((step) => nameOf(cellAt(point, step)));
}

function grandchildrenOf(cell: Cell): Cell[] {
  return childrenOf(cell).flatMap(childrenOf);
}

function nameOf({ step, hash }: Cell): string {
  return `${step}:${hash.toString(36)}`;
}
