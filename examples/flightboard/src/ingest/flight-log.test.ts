import { setTimeout as pause } from "node:timers/promises";
import { connect, type Holdfast } from "holdfast";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Flight } from "../data/flights.ts";
import { startEmbeddedServer } from "../launcher/embedded-server.ts";
import type { OwnServer } from "../launcher/own-server.ts";
import { startPrivateServer } from "../launcher/private-server.ts";
import { type Batch, FlightLog, MAX_BATCHES } from "./flight-log.ts";

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

/** What a worker applies until the mark is behind `to`. */
async function applied(to: number): Promise<Batch[]> {
  const batches: Batch[] = [];
  await using _worker = await log.work(async (each) => void batches.push(each));
  while ((await log.applied()) < to) await pause(5);
  return batches;
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
    expect([await log.applied(), await log.depth()]).toEqual([0, 0]);
  });

  it("hands batches over in order and drops them when they are applied", async () => {
    await log.claim(FIRST);
    expect(await log.append(batch(0, 3), FIRST)).toEqual({ status: "appended" });
    expect(await log.append(batch(3, 5), FIRST)).toEqual({ status: "appended" });
    expect(await log.cursor()).toEqual({ position: 5, fence: 5, term: 1, at: 4_000, by: "ingest-1" });
    expect(await log.depth()).toBe(2);
    expect(await applied(5)).toEqual([batch(0, 3), batch(3, 5)]);
    expect([await log.applied(), await log.depth()]).toEqual([5, 0]);
  });

  it("takes a batch once, however often it is sent", async () => {
    await log.claim(FIRST);
    await log.append(batch(0, 3), FIRST);
    expect(await log.append(batch(0, 3), FIRST)).toEqual({ status: "moved", position: 3 });
    expect(await log.depth()).toBe(1);
  });

  it("gives a worker what is new of batches that a dead leader left, with other bounds than its successor's", async () => {
    await log.claim(FIRST);
    // Added, but the leader died before it had moved the cursor; the third came late, from one that was frozen.
    for (const [from, to] of [
      [0, 3],
      [0, 5],
      [0, 4],
      [5, 6],
    ] as const)
      await log.queue.add(batch(from, to), { group: "in order" });
    expect(await applied(6)).toEqual([batch(0, 3), batch(3, 5), batch(5, 6)]);
  });

  it("applies a batch again that failed, before the next one", async () => {
    await log.claim(FIRST);
    await log.append(batch(0, 3), FIRST);
    await log.append(batch(3, 5), FIRST);
    const seen: number[] = [];
    await using _worker = await log.work(async ({ to }) => {
      if (seen.push(to) === 1) throw new Error("cut short");
    });
    while ((await log.applied()) < 5) await pause(5);
    expect(seen).toEqual([3, 3, 5]);
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
    for (let at = 0; at < MAX_BATCHES; at += 1) await log.append(batch(at, at + 1), FIRST);
    const next = batch(MAX_BATCHES, MAX_BATCHES + 1);
    expect(await log.append(next, FIRST)).toEqual({ status: "full" });
    await applied(MAX_BATCHES);
    expect(await log.append(next, FIRST)).toEqual({ status: "appended" });
  });

  it("holds each flight once when several leaders write at the same time", async () => {
    const leaders = [FIRST, SECOND, { fence: 9, by: "twin" }];
    const taken = applied(60);
    await Promise.all(
      leaders.map(async (leader) => {
        for (let from = 0; from < 60; from = (await log.cursor()).position) {
          const { status } = await log.append(batch(from, from + 3), leader);
          if (status === "deposed") return;
        }
      }),
    );
    const indexes = (await taken).flatMap(({ flights }) => flights.map(({ index }) => index));
    expect(indexes).toEqual(Array.from({ length: 60 }, (_, index) => index));
  });
});
