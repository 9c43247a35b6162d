// Geofences against a plain model: two handles, circles and polygons that change while entities move.
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { metersBetween, type Point } from "../core/earth/sphere.ts";
import type { GeofenceShape } from "./fence.ts";

/** A grid of places 100 m apart, on both sides of the 180th meridian; no fence's border is near one. */
const place = (x: number): Point => ({ lon: x < 5 ? 179.995 + x / 1_000 : -180 + (x - 5) / 1_000, lat: 0.0003 });
const PLACE = fc.integer({ min: 0, max: 9 }).map(place);
const ID = fc.constantFrom("a", "b", "c");
const HANDLE = fc.boolean();
const circle = (center: Point, meters: number): GeofenceShape => ({ center, meters });
const square = ({ lon }: Point, meters: number): GeofenceShape => {
  const half = meters / 111_226;
  const wrapped = (at: number): number => (at > 180 ? at - 360 : at < -180 ? at + 360 : at);
  const corners = [
    [-half, -half],
    [half, -half],
    [half, half],
    [-half, half],
  ];
  return { polygon: corners.map(([x, y]) => ({ lon: wrapped(lon + x!), lat: y! })) };
};
const OPERATION = fc.oneof(
  fc.record({
    kind: fc.constant("set" as const),
    id: ID,
    center: PLACE,
    meters: fc.constantFrom(60, 170, 390),
    round: fc.boolean(),
    handle: HANDLE,
  }),
  fc.record({ kind: fc.constant("remove" as const), id: ID, handle: HANDLE }),
  fc.record({ kind: fc.constant("containing" as const), point: PLACE, handle: HANDLE }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("track" as const),
      entity: fc.constantFrom("x", "y"),
      point: PLACE,
      handle: HANDLE,
    }),
  },
);

describe.each(backends("standalone", "cluster", "embedded"))("geofence against a model [$name]", (backend) => {
  const both = new TwoHandles(backend);

  it("any sequence of operations returns what the model returns", { timeout: 180_000 }, async () => {
    const run = async (
      operations: readonly (typeof OPERATION extends fc.Arbitrary<infer T> ? T : never)[],
    ): Promise<void> => {
      const name = randomName();
      const fences = new Map<string, (point: Point) => boolean>();
      const inside = new Map<string, Set<string>>();
      for (const operation of operations) {
        const zones = (operation.handle ? both.a : both.b).geofence(name);
        const around = (point: Point): string[] =>
          [...fences]
            .filter(([, has]) => has(point))
            .map(([id]) => id)
            .toSorted();
        if (operation.kind === "set") {
          const { id, center, meters, round } = operation;
          await zones.set(id, round ? circle(center, meters) : square(center, meters));
          fences.set(id, (point) => metersBetween(point, center) < meters);
        } else if (operation.kind === "remove") {
          assert.equal(await zones.remove(operation.id), fences.delete(operation.id));
        } else if (operation.kind === "containing") {
          assert.deepEqual(await zones.containing(operation.point), around(operation.point));
        } else {
          const { entity, point } = operation;
          const [before, now] = [inside.get(entity) ?? new Set<string>(), new Set(around(point))];
          inside.set(entity, now);
          const expected = [
            ...[...now].filter((id) => !before.has(id)).map((id) => `enter ${id}`),
            ...[...before].filter((id) => !now.has(id)).map((id) => `exit ${id}${fences.has(id) ? "" : " removed"}`),
          ];
          const result = await zones.track(entity, point);
          assert.ok(result.status === "ok");
          const told = result.transitions.map(
            ({ kind, fence, removed }) => `${kind} ${fence}${removed ? " removed" : ""}`,
          );
          assert.deepEqual(told.toSorted(), expected.toSorted());
          assert.deepEqual(
            (await zones.inside(entity)).map(({ fence }) => fence),
            [...now].toSorted(),
          );
        }
      }
    };
    const property = fc.asyncProperty(fc.array(OPERATION, { minLength: 10, maxLength: 30 }), run);
    await expect(fc.assert(property, { numRuns: 15 })).resolves.toBeUndefined();
  });
});
