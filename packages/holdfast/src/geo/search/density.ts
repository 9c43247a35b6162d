/**
 * How close members lie, as earlier searches found: where the next one in that region begins. Wrong guesses cost a search a round, nothing
 * else.
 */
import { cellAt } from "../../core/earth/cells.ts";
import type { Point } from "../../core/earth/sphere.ts";

/** Regions of about 10 km. */
const REGION_STEP = 12;
const MAX_REGIONS = 2_000;

export class Density {
  /** Members of the index, when it was last looked at. */
  total: number | undefined = undefined;
  /** Members per square metre. The last one learned is the last one. */
  readonly #regions = new Map<number, number>();

  around(center: Point): number | undefined {
    return this.#regions.get(regionOf(center));
  }

  learn(center: Point, density: number): void {
    const region = regionOf(center);
    this.#regions.delete(region);
    this.#regions.set(region, density);
    if (this.#regions.size > MAX_REGIONS) this.#regions.delete(this.#regions.keys().next().value!);
  }
}

function regionOf(point: Point): number {
  return cellAt(point, REGION_STEP).hash;
}

/** Of members within a circle. */
export function densityOf(members: number, radius: number): number {
  return members / (Math.PI * Math.max(1, radius) ** 2);
}

/** The circle that very probably has `count` members, where `density` lie on a square metre. */
export function radiusFor(count: number, density: number): number {
  return Math.sqrt(withMargin(count) / (Math.PI * density));
}

/** As many as must be expected so that rarely fewer than `count` are there. */
export function withMargin(count: number): number {
  return count + 2 * Math.sqrt(count) + 1;
}
