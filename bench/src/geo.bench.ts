/**
 * Geo against GEOSEARCH by hand, on tuned node-redis: the ten nearest of a hundred and of a million members, a tenth of which lie anywhere and
 * the others in 200 towns; adds; and `track` of a geofence against GEOSEARCH and a set of zones by hand. Server time is that of the scripts and
 * commands, by its own count.
 */
import { connect } from "holdfast";
import { type NodeRedis, tunedNodeRedis } from "./clients.ts";
import { type Contender, sideBySide, type Suite, type Target } from "./suite.ts";

interface Point {
  readonly lon: number;
  readonly lat: number;
}

const FEW = 100;
const MANY = 1_000_000;
const CHUNK = 10_000;
const TOWNS = 200;
const ZONES = 1_000;

export const geoSuite: Suite = {
  contenders: {
    "geo.nearest of 100": nearest(FEW),
    "geo.nearest of a million": nearest(MANY),
    "GEOSEARCH of 100": bySearch(FEW),
    "GEOSEARCH of a million": bySearch(MANY),
    "geo.add": async ({ url }) => {
      const places = (await connect(url)).geo("bench");
      const point = points();
      return (turn) => places.add(`m${turn % 5_000}`, point());
    },
    GEOADD: async (target) => {
      const client = await tunedNodeRedis(target);
      const point = points();
      return (turn) => client.sendCommand(geoAdd("hand", [[`m${turn % 5_000}`, point()]]));
    },
    "geofence.track": async ({ url }) => {
      const zones = (await connect(url)).geofence("bench");
      const center = points();
      for (let at = 0; at < ZONES; at += 1) await zones.set(`zone${at}`, { center: center(), meters: 3_000 });
      const point = points();
      return (turn) => zones.track(`truck${turn % 500}`, point());
    },
    "zones by hand": zonesByHand,
  },
  cases: [
    ...sideBySide("nearest of 100", [1, 50], ["geo.nearest of 100"], ["GEOSEARCH of 100"]),
    ...sideBySide("nearest of a million", [1, 50], ["geo.nearest of a million"], ["GEOSEARCH of a million"]),
    ...sideBySide("add", [50], ["geo.add"], ["GEOADD"]),
    ...sideBySide("track", [50], ["geofence.track"], ["zones by hand"]),
  ],
};

function nearest(size: number): Contender {
  return async ({ url }) => {
    const places = (await connect(url, { timeout: "60s" })).geo("bench");
    const point = points();
    for (let at = 0; at < size; at += CHUNK)
      await places.addMany(
        Array.from({ length: Math.min(CHUNK, size - at) }, (_, each) => [`m${at + each}`, point()] as const),
      );
    const center = points(7);
    return () => places.nearest(center());
  };
}

/** As most write it: a radius that is surely large enough for the places that are asked for, here 50 km, else the whole earth. */
function bySearch(size: number): Contender {
  return async (target) => {
    const client = await tunedNodeRedis(target);
    const point = points();
    for (let at = 0; at < size; at += CHUNK)
      await client.sendCommand(
        geoAdd(
          "hand",
          Array.from({ length: Math.min(CHUNK, size - at) }, (_, each) => [`m${at + each}`, point()]),
        ),
      );
    const center = points(7);
    return async () => {
      const from = center();
      const near = await search(client, from, size === FEW ? 20_100_000 : 50_000);
      return near.length >= 10 ? near : search(client, from, 20_100_000);
    };
  };
}

async function search(client: NodeRedis, { lon, lat }: Point, meters: number): Promise<unknown[]> {
  const from = ["FROMLONLAT", String(lon), String(lat)];
  const shape = ["BYRADIUS", String(meters), "m", "ASC", "COUNT", "10"];
  const command = ["GEOSEARCH", "hand", ...from, ...shape, "WITHCOORD", "WITHDIST"];
  return (await client.sendCommand(command)) as unknown as unknown[];
}

/** Circles only, no hysteresis, and two processes would tell a transition twice. */
async function zonesByHand(target: Target): ReturnType<Contender> {
  const client = await tunedNodeRedis(target);
  const center = points();
  await client.sendCommand(
    geoAdd(
      "zones",
      Array.from({ length: ZONES }, (_, at) => [`zone${at}`, center()]),
    ),
  );
  const point = points();
  return async (turn) => {
    const { lon, lat } = point();
    const key = `truck:${turn % 500}`;
    const [now, before] = (await Promise.all([
      client.sendCommand(["GEOSEARCH", "zones", "FROMLONLAT", String(lon), String(lat), "BYRADIUS", "3000", "m"]),
      client.sendCommand(["SMEMBERS", key]),
    ])) as unknown as [string[], string[]];
    const entered = now.filter((zone) => !before.includes(zone));
    const left = before.filter((zone) => !now.includes(zone));
    if (entered.length > 0) await client.sendCommand(["SADD", key, ...entered]);
    if (left.length > 0) await client.sendCommand(["SREM", key, ...left]);
    return { entered, left };
  };
}

function geoAdd(key: string, places: readonly (readonly [string, Point])[]): string[] {
  return ["GEOADD", key, ...places.flatMap(([member, { lon, lat }]) => [String(lon), String(lat), member])];
}

/** The same ones for each contender. */
function points(seed = 3): () => Point {
  let state = 11;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const anywhere = (): Point => ({ lon: next() * 360 - 180, lat: next() * 160 - 80 });
  const towns = Array.from({ length: TOWNS }, anywhere);
  state = seed;
  return () => {
    if (next() < 0.1) return anywhere();
    const { lon, lat } = towns[Math.floor(next() ** 2 * TOWNS)]!;
    const point = { lon: lon + (next() ** 2 - 0.5) * 0.4, lat: lat + (next() ** 2 - 0.5) * 0.4 };
    return { lon: Math.max(-180, Math.min(180, point.lon)), lat: point.lat };
  };
}
