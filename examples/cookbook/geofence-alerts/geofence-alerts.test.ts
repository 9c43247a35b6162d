// - an alert is sent twice, by two processes or from the border ... "once for each"
// - a late position brings a truck back ............................ "late"
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { type Alert, GeofenceAlerts } from "./geofence-alerts.ts";

const YARD = [
  { lon: 10, lat: 53 },
  { lon: 10.01, lat: 53 },
  { lon: 10.01, lat: 53.01 },
  { lon: 10, lat: 53.01 },
];

describe.each(backends("standalone", "embedded"))("cookbook: geofence alerts [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  it("tells of each truck once, whichever process hears of it; late positions change nothing", async () => {
    const prefix = `cook-${randomUUID()}`;
    for (let process = 0; process < 2; process += 1)
      handles.push(await connect(url, { ...options, prefix, timeout: "30s" }));
    const [a, b] = handles.slice(-2).map((hf) => new GeofenceAlerts(hf));
    const [sent, seen] = [[] as Alert[], [] as string[]];
    await using _board = await b!.watch(({ kind }) => void seen.push(kind));
    await using _sender = a!.send((alert) => Promise.resolve(void sent.push(alert)));
    await a!.draw("yard", YARD);
    const inside = { truck: "7", lon: 10.005, lat: 53.005 };
    // The second one on the border, 20 m outside.
    await Promise.all([a!.moved({ ...inside, at: 1_000 }), b!.moved({ ...inside, at: 1_000 })]);
    await b!.moved({ ...inside, lon: 9.9997, at: 2_000 });
    expect(await a!.zonesOf("7")).toEqual(["yard"]);
    await b!.moved({ ...inside, lon: 9.9, at: 4_000 });
    await a!.moved({ ...inside, at: 3_000 });
    expect(await a!.zonesOf("7")).toEqual([]);
    await until("both alerts are sent and shown", () => sent.length >= 2 && seen.length >= 2);
    expect(sent.map(({ kind }) => kind).toSorted()).toEqual(["enter", "exit"]);
    expect(seen).toEqual(["enter", "exit"]);
  });
});
