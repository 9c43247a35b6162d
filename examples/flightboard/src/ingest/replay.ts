/**
 * The leader's work: flights whose time has come go into the log in batches, and are then published on the topic.
 * It reads the data from the cursor on, so a successor goes on with exactly the next flight. What its predecessor may not have published it
 * publishes again: a flight has an id, by which the topic knows it.
 */
import { once } from "node:events";
import type { HeldLock } from "holdfast";
import { type Flight, readFlights } from "../data/flights.ts";
import { log, pause, type Service } from "../service.ts";
import { readControl } from "../state/state.ts";
import { ReplayClock } from "./clock.ts";
import type { Batch, FlightLog, Leader } from "./flight-log.ts";

/** Flights in one batch at most. */
const BATCH = 100;
const TICK_MS = 100;
const CONTROL_EVERY_MS = 500;

/** One term: until the lock is lost, a newer leader shows up, or the process is to stop. At the end of the data it waits. */
export async function replay(service: Service, flightLog: FlightLog, held: HeldLock): Promise<void> {
  const leader: Leader = { fence: held.fence, by: service.options.name };
  const signal = AbortSignal.any([held.signal, service.signal]);
  const claim = await flightLog.claim(leader);
  if (claim.status === "deposed") return;
  log(service.options, `leads from flight ${claim.position} with fence ${held.fence}`);

  let position = claim.position;
  await publish(service, await flightsBefore(service, position), leader, signal);
  const batches = dueBatches(service, position, signal);
  for await (const flights of batches) {
    const to = position + flights.length;
    const outcome = await appendWhole(flightLog, { flights, to }, leader, signal);
    if (outcome !== "appended") return;
    position = to;
    await publish(service, flights, leader, signal);
  }
  if (!signal.aborted) await once(signal, "abort");
}

/** Waits while the worker is behind. Another's batch in the way ends this leader's term; the next begins at the cursor. */
async function appendWhole(
  flightLog: FlightLog,
  batch: Batch,
  leader: Leader,
  signal: AbortSignal,
): Promise<"appended" | "ended"> {
  while (!signal.aborted) {
    const result = await flightLog.append(batch, leader, "100ms");
    if (result.status === "appended") return "appended";
    if (result.status === "moved" && result.position === batch.to) return "appended";
    if (result.status !== "full") return "ended";
  }
  return "ended";
}

/** Until the topic has them all, or the term is over. */
async function publish({ state }: Service, flights: Flight[], leader: Leader, signal: AbortSignal): Promise<void> {
  const { news } = state;
  while (!signal.aborted) {
    const published = flights.map((flight) => news.publish({ flight, ...leader }, { id: String(flight.index) }));
    const outcomes = await Promise.allSettled(published);
    if (outcomes.every(({ status }) => status === "fulfilled")) return;
    await pause(TICK_MS, signal);
  }
}

/** The last batch that a predecessor may have appended and not published. */
async function flightsBefore({ options }: Service, position: number): Promise<Flight[]> {
  const flights: Flight[] = [];
  const from = Math.max(0, position - BATCH);
  if (position > 0) for await (const flight of readFlights(options.flights, from, position)) flights.push(flight);
  return flights;
}

/** Batches of the flights that the simulated clock has passed. */
async function* dueBatches(service: Service, from: number, signal: AbortSignal): AsyncGenerator<Flight[]> {
  const source = readFlights(service.options.flights, from);
  let next = await source.next();
  if (next.done === true) return;
  const clock = new ReplayClock(next.value.at, service.options.speed);
  const stopFollowing = followControl(service, clock);
  try {
    while (next.done !== true && !signal.aborted) {
      const batch: Flight[] = [];
      const now = clock.now();
      while (next.done !== true && next.value.at <= now && batch.length < BATCH) {
        batch.push(next.value);
        next = await source.next();
      }
      if (batch.length > 0) yield batch;
      if (batch.length < BATCH) await pause(TICK_MS, signal);
    }
  } finally {
    stopFollowing();
  }
}

/** The speed may be changed on the page while the replay runs. Returns the function that ends the following. */
function followControl(service: Service, clock: ReplayClock): () => void {
  const look = async (): Promise<void> => {
    const control = await readControl(service.state).catch(() => undefined);
    if (control !== undefined && control.speed !== clock.speed) clock.speed = control.speed;
  };
  void look();
  const timer = setInterval(() => void look(), CONTROL_EVERY_MS);
  return () => clearInterval(timer);
}
