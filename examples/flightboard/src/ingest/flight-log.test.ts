import { connect, type Holdfast } from "holdfast";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Flight } from "../data/flights.ts";
import { startEmbeddedServer } from "../launcher/embedded-server.ts";
import type { OwnServer } from "../launcher/own-server.ts";
import { startPrivateServer } from "../launcher/private-server.ts";
import { type Batch, FlightLog, MAX_AHEAD } from "./flight-log.ts";

const FIRST = { fence: 5, by: "ingest-1" };
const SECOND = { fence: 9, by: "ingest-2" };

let hf: Holdfast;
let log: FlightLog;

function batch(from: number, to: number): Batch {
  const flights = Array.from({ length: to - from }, (_, offset): Flight => {
    return {
      index: from + offset,
      at: 1_000 * (from + offset),
      delay: 3,
      distance: 500,
      origin: "ATL",
      destination: "DFW",
    };
  });
  return { flights, to };
}

async function next(applied: number): Promise<Batch | undefined> {
  return log.next(applied, 20, new AbortController().signal);
}

describe.each([
  ["the embedded server", startEmbeddedServer],
  ["a Redis or Valkey server", startPrivateServer],
])("the flight log on %s", (_name, start) => {
  let server: OwnServer;

  beforeAll(async () => {
    server = await start(() => undefined);
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    hf = await connect(server.url, { prefix: `t${Math.random().toString(36).slice(2)}` });
    log = new FlightLog(hf);
    return () => hf.close();
  });

  it("begins at 0, led by nobody", async () => {
    expect(await log.cursor()).toMatchObject({ position: 0, fence: 0, term: 0 });
    expect(await log.applied()).toBe(0);
    expect(await next(0)).toBeUndefined();
  });

  it("hands batches over in order and drops them when they are applied", async () => {
    await log.claim(FIRST);
    expect(await log.append(batch(0, 3), FIRST)).toEqual({ status: "appended" });
    expect(await log.append(batch(3, 5), FIRST)).toEqual({ status: "appended" });
    expect(await log.cursor()).toEqual({ position: 5, fence: 5, term: 1, at: 4_000, by: "ingest-1" });
    expect(await next(0)).toEqual(batch(0, 3));
    await log.commit(batch(0, 3));
    expect([await log.applied(), await log.depth()]).toEqual([3, 1]);
    expect(await next(3)).toEqual(batch(3, 5));
    await log.commit(batch(3, 5));
    expect([await log.applied(), await log.depth()]).toEqual([5, 0]);
  });

  it("takes a batch once, however often it is sent", async () => {
    await log.claim(FIRST);
    await log.append(batch(0, 3), FIRST);
    expect(await log.append(batch(0, 3), FIRST)).toEqual({ status: "moved", position: 3 });
    expect(await log.depth()).toBe(1);
  });

  it("does not move back when a late worker commits again", async () => {
    await log.claim(FIRST);
    for (const [from, to] of [
      [0, 3],
      [3, 5],
    ] as const)
      await log.append(batch(from, to), FIRST);
    await log.commit(batch(0, 3));
    await log.commit(batch(3, 5));
    await log.commit(batch(0, 3));
    expect(await log.applied()).toBe(5);
  });

  it("refuses a leader once a newer one has claimed it", async () => {
    await log.claim(FIRST);
    await log.append(batch(0, 3), FIRST);
    expect(await log.claim(SECOND)).toEqual({ status: "claimed", position: 3 });
    expect(await log.append(batch(3, 5), FIRST)).toMatchObject({ status: "deposed", cursor: { by: "ingest-2" } });
    expect(await log.claim(FIRST)).toMatchObject({ status: "deposed" });
    expect(await log.append(batch(3, 5), SECOND)).toEqual({ status: "appended" });
    expect((await log.cursor()).term).toBe(2);
  });

  it("makes a leader wait that is too far ahead of the worker", async () => {
    await log.claim(FIRST);
    await log.append(batch(0, MAX_AHEAD), FIRST);
    expect(await log.append(batch(MAX_AHEAD, MAX_AHEAD + 1), FIRST)).toEqual({ status: "full" });
    await log.commit(batch(0, MAX_AHEAD));
    expect(await log.append(batch(MAX_AHEAD, MAX_AHEAD + 1), FIRST)).toEqual({ status: "appended" });
  });

  it("holds each flight once when several leaders write at the same time", async () => {
    const leaders = [FIRST, SECOND, { fence: 9, by: "twin" }];
    await Promise.all(
      leaders.map(async (leader) => {
        for (let from = 0; from < 60; from = (await log.cursor()).position) {
          const { status } = await log.append(batch(from, from + 3), leader);
          if (status === "deposed") return;
        }
      }),
    );
    const indexes: number[] = [];
    for (let at = await next(0); at !== undefined; at = await next(at.to))
      indexes.push(...at.flights.map(({ index }) => index));
    expect(indexes).toEqual(Array.from({ length: 60 }, (_, index) => index));
  });
});
