/**
 * What could go wrong, and the test for it:
 * - a fence is not found at its border, on the 180th meridian, or by one of its cells ... "containing finds what comparing with every fence finds"
 * - a fence that was changed or removed is found where it was ......................... "a fence that moves or goes"
 * - an entity on the border enters and leaves again and again ......................... "margin", "settle"
 * - two processes, or a lost answer, tell a transition twice or not at all ............ "two processes that track at once", faults.test.ts
 * - an old position undoes a new one ................................................... "at: an older position changes nothing"
 * - a removed fence is never left ........................................................ "a fence that moves or goes"
 * - an evicted key invents transitions that nobody can tell from real ones .......... "without its keys"
 * - something grows without a bound .................................................. "limits"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import type { GeoPoint } from "../core/earth/point.ts";
import { checkShape, Fence, type GeofenceShape } from "./fence.ts";
import type { Geofence, GeofenceTrackResult, GeofenceTransition } from "./geofence.ts";
import type { GeofenceOptions } from "./options.ts";

const bad = (field: string): unknown => expect.objectContaining({ name: "InvalidArgumentError", field });
const kinds = (result: GeofenceTrackResult): string[] =>
  result.status === "ok" ? result.transitions.map(({ kind, fence }) => `${kind} ${fence}`) : [result.status];

const CENTER = { lon: 13.4, lat: 52.5 };
/** So many metres to the east. */
const east = (meters: number, { lon, lat } = CENTER): GeoPoint => ({
  lon: lon + meters / 111_226 / Math.cos((lat * Math.PI) / 180),
  lat,
});
const DEPOT: GeofenceShape = { center: CENTER, meters: 100 };
const FAR = east(5_000);

describe.each(backends())("geofence [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const { prefix, send: raw } = both;

  function pair(options: GeofenceOptions = {}): [Geofence, Geofence] {
    const name = randomName();
    return [both.a.geofence(name, options), both.b.geofence(name, options)];
  }
  const stateOf = ({ name }: Geofence, entity: string): string => `${prefix}:geofence-state:${name}:{${entity}}`;

  it("enter, dwell and exit, each once", async () => {
    const [here, there] = pair({ dwell: 1 });
    expect(await here.set("depot", DEPOT)).toEqual({ status: "ok" });
    expect(await there.containing(CENTER)).toEqual(["depot"]);
    expect(await there.containing(FAR)).toEqual([]);
    expect(kinds(await there.track("truck", FAR))).toEqual([]);
    const entered = await there.track("truck", CENTER);
    expect(entered).toMatchObject({ transitions: [{ kind: "enter", entity: "truck", fence: "depot", number: 1 }] });
    expect(await here.inside("truck")).toMatchObject([{ fence: "depot", dwelt: false }]);
    // A dwell of a millisecond: told with the first position after it.
    const told: string[] = [];
    await until("it has dwelt", async () => {
      told.push(...kinds(await here.track("truck", east(50))));
      return told.length > 0;
    });
    expect(told).toEqual(["dwell depot"]);
    expect(kinds(await there.track("truck", CENTER))).toEqual([]);
    const left = await here.track("truck", FAR);
    expect(left).toMatchObject({ transitions: [{ kind: "exit", fence: "depot", number: 3 }] });
    expect(left).not.toHaveProperty("transitions.0.removed");
    expect(kinds(await there.track("truck", FAR))).toEqual([]);
    expect(await here.inside("truck")).toEqual([]);
    expect(await here.forget("truck")).toBe(true);
    expect(await here.forget("truck")).toBe(false);
  });

  it("margin: on the border nothing changes until it is so far outside", async () => {
    const [here, there] = pair({ margin: 30 });
    await here.set("circle", DEPOT);
    await here.set("square", {
      polygon: [east(-100), east(100), { ...east(100), lat: 52.6 }, { ...east(-100), lat: 52.6 }],
    });
    expect(kinds(await there.track("truck", { ...CENTER, lat: 52.5005 }))).toEqual(["enter circle", "enter square"]);
    for (const meters of [105, 95, 125, 110])
      expect(kinds(await there.track("truck", { ...east(meters), lat: 52.50001 }))).toEqual([]);
    expect(await there.containing(east(125))).toEqual([]);
    expect(kinds(await there.track("truck", { ...east(135), lat: 52.50001 }))).toEqual(["exit circle", "exit square"]);
    expect(kinds(await there.track("truck", { ...east(125), lat: 52.50001 }))).toEqual([]);
  });

  it("settle: what lasts shorter is no transition", async () => {
    const [here, there] = pair({ settle: "1h" });
    await here.set("depot", DEPOT);
    expect(kinds(await here.track("truck", CENTER))).toEqual([]);
    const passed = async (leaving: boolean): Promise<unknown> =>
      raw("HSET", stateOf(here, "truck"), "depot", leaving ? "5 6 7 0" : "5 0 0 0");
    await passed(false);
    expect(kinds(await there.track("truck", CENTER))).toEqual(["enter depot"]);
    expect(kinds(await there.track("truck", FAR))).toEqual([]);
    expect(kinds(await there.track("truck", CENTER))).toEqual([]);
    expect(kinds(await there.track("truck", FAR))).toEqual([]);
    await passed(true);
    const left = await there.track("truck", FAR);
    expect(left).toMatchObject({ transitions: [{ kind: "exit", since: 5 }] });
  });

  it("a fence that moves or goes: what is tracked follows", async () => {
    const [here, there] = pair();
    await here.set("depot", DEPOT);
    await here.track("truck", CENTER);
    await there.set("depot", { center: FAR, meters: 100 });
    expect(await here.containing(CENTER)).toEqual([]);
    expect(await here.get("depot")).toEqual({ center: FAR, meters: 100 });
    const left = await here.track("truck", CENTER);
    expect(left).toMatchObject({ transitions: [{ kind: "exit" }] });
    expect(left).not.toHaveProperty("transitions.0.removed");
    expect(kinds(await here.track("truck", FAR))).toEqual(["enter depot"]);
    expect(await there.remove("depot")).toBe(true);
    expect(await there.remove("depot")).toBe(false);
    expect(await here.get("depot")).toBeUndefined();
    expect(await here.track("truck", FAR)).toMatchObject({ transitions: [{ kind: "exit", removed: true }] });
    expect(await raw("EXISTS", `${prefix}:geofence:{${here.name}}`)).toBe(0);
  });

  it("two processes that track at once: each transition once, with a number of its own", async () => {
    const [here, there] = pair();
    await here.set("depot", DEPOT);
    const told: GeofenceTransition[] = [];
    for (let round = 0; round < 6; round += 1) {
      const point = round % 2 === 0 ? CENTER : FAR;
      const results = await Promise.all([here, there, here, there].map((fences) => fences.track("truck", point)));
      for (const result of results) if (result.status === "ok") told.push(...result.transitions);
    }
    expect(told.map(({ kind }) => kind)).toEqual(["enter", "exit", "enter", "exit", "enter", "exit"]);
    expect(told.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("at: an older position changes nothing", async () => {
    const [here, there] = pair();
    await here.set("depot", DEPOT);
    expect(kinds(await here.track("truck", CENTER, { at: 2_001 }))).toEqual(["enter depot"]);
    expect(await there.track("truck", FAR, { at: new Date(2_000) })).toEqual({ status: "stale", at: 2_001 });
    expect(kinds(await there.track("truck", FAR, { at: 2_001 }))).toEqual(["exit depot"]);
  });

  it("live: whoever subscribes hears of what another process found", async () => {
    const [here, there] = pair({ live: true });
    const heard: GeofenceTransition[] = [];
    await using subscription = await here.subscribe((transition) => void heard.push(transition));
    await there.set("depot", DEPOT);
    const { transitions } = (await there.track("truck", CENTER)) as { transitions: GeofenceTransition[] };
    await until("it is heard", () => heard.length > 0);
    expect(heard).toEqual(transitions);
    await subscription.close();
  });

  it("without its keys: no fence is no exit but a removed one, and no state enters again", async () => {
    const [here, there] = pair();
    await here.set("depot", DEPOT);
    await here.track("truck", CENTER);
    await raw("DEL", stateOf(here, "truck"));
    expect(kinds(await there.track("truck", CENTER))).toEqual(["enter depot"]);
    await raw("DEL", `${prefix}:geofence:{${here.name}}`);
    expect(await there.containing(CENTER)).toEqual([]);
    expect(await there.track("truck", CENTER)).toMatchObject({ transitions: [{ kind: "exit", removed: true }] });
    await here.set("depot", DEPOT);
    expect(kinds(await there.track("truck", CENTER))).toEqual(["enter depot"]);
    expect(await raw("PTTL", stateOf(here, "truck"))).toBeGreaterThan(0);
  });

  it("limits: fences, fences of a cell, and of an entity", async () => {
    const [here] = pair({ maxFences: 200 });
    const ids = Array.from({ length: 64 }, (_, at) => `fence-${at}`);
    expect(await Promise.all(ids.map((id) => here.set(id, DEPOT)))).toEqual(ids.map(() => ({ status: "ok" })));
    expect(await here.set("more", DEPOT)).toEqual({ status: "limit", limit: "cell" });
    expect(await here.set("fence-1", DEPOT)).toEqual({ status: "ok" });
    expect(await here.get("more")).toBeUndefined();
    expect((await here.track("truck", CENTER)).status).toBe("ok");
    expect(await here.inside("truck")).toHaveLength(64);
    const listed: string[] = [];
    for await (const id of here.ids()) listed.push(id);
    expect(listed.toSorted()).toEqual(ids.toSorted());
    const [few] = pair({ maxFences: 1 });
    await few.set("a", DEPOT);
    expect(await few.set("b", DEPOT)).toEqual({ status: "limit", limit: "fences" });
    expect(await few.set("a", DEPOT)).toEqual({ status: "ok" });
  });

  it("ids of all kinds, and bad input by its name", async () => {
    const [here] = pair();
    for (const id of ["{a}", "a:b", "😀", " ", "f", "n", 7]) {
      await here.set(id, DEPOT);
      expect(kinds(await here.track(`truck ${id}`, CENTER))).toContain(`enter ${id}`);
    }
    await expect(here.set("a\0b", DEPOT)).rejects.toEqual(bad("id"));
    await expect(here.set("a", { meters: 5 } as never)).rejects.toEqual(bad("center"));
    await expect(here.set("a", { center: CENTER, meters: 0 })).rejects.toEqual(bad("meters"));
    await expect(here.set("a", { center: CENTER, meters: 5, polygon: [] })).rejects.toEqual(bad("center"));
    await expect(here.set("a", { polygon: [CENTER, FAR] })).rejects.toEqual(bad("polygon"));
    const corners = new Set([CENTER, FAR, { ...CENTER, lat: 52.6 }]).values();
    expect(await here.set("a", { polygon: corners as never })).toEqual({ status: "ok" });
    await expect(here.track("", CENTER)).rejects.toEqual(bad("entity"));
    await expect(here.track("a", { lon: 0, lat: 90 })).rejects.toEqual(bad("lat"));
    await expect(here.track("a", CENTER, { at: Number.NaN })).rejects.toEqual(bad("at"));
    expect(() => both.a.geofence("x", { margin: -1 })).toThrow(bad("margin"));
    expect(() => both.a.geofence("x", { live: 1 as never })).toThrow(bad("live"));
  });
});

describe("a fence's cover", () => {
  it("containing finds what comparing with every fence finds: each point of a fence and its margin is in a cell of its cover", async () => {
    const { cellsAround } = await import("./fence.ts");
    let state = 5;
    const next = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let turn = 0; turn < 300; turn += 1) {
      const center = { lon: turn % 3 === 0 ? 180 - next() * 0.01 : next() * 360 - 180, lat: next() * 168 - 84 };
      const size = 10 ** (1 + next() * 4);
      const corner = (at: number): GeoPoint => {
        const lon = center.lon + (Math.cos(at) * size) / 111_000;
        return { lon: lon > 180 ? lon - 360 : lon, lat: center.lat + (Math.sin(at) * size) / 111_000 };
      };
      const shape = turn % 2 === 0 ? { center, meters: size } : { polygon: [0, 1, 2, 3, 4, 5].map(corner) };
      const fence = new Fence(checkShape(shape), turn % 4 < 2 ? 0 : next() * size);
      const cover = new Set(fence.cover());
      expect(cover.size).toBeLessThanOrEqual(24);
      for (let each = 0; each < 40; each += 1) {
        const lon = center.lon + ((next() - 0.5) * 4 * size) / 111_000 / Math.cos((center.lat * Math.PI) / 180);
        const lat = Math.max(-85, Math.min(85, center.lat + ((next() - 0.5) * 4 * size) / 111_000));
        const point = { lon: lon > 180 ? lon - 360 : lon < -180 ? lon + 360 : lon, lat };
        const isFound = cellsAround(point).some((cell) => cover.has(cell));
        expect(isFound || fence.sideOf(point) === "outside").toBe(true);
      }
    }
  });
});
