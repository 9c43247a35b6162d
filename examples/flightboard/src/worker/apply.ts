/**
 * One batch of flights into all derived numbers. The worker keeps nothing in memory and may be killed between any two
 * commands: the batch is then applied again from the start, by the same process or another, and each write is one that
 * can be repeated:
 * - records carry `upTo`, the high-water mark of the batches in them, in the same versioned write as the numbers; a
 *   batch at or below the mark changes nothing;
 * - counters are incremented with the batch's end as the idempotency key;
 * - board scores are written with `best`: they are read from records that only grow, so the largest is the newest, also
 *   when a frozen worker comes back with an old one;
 * - tags are only added, places never move;
 * - cached searches are invalidated last, when what they would find is there.
 * Only when all of that is done does the flight log's mark move over the batch. Batches are applied in order: a worker
 * that is at batch n has seen the mark behind every batch before n.
 */
import { HoldfastError } from "holdfast";
import type { Airport } from "../data/airports.ts";
import type { Batch } from "../ingest/flight-log.ts";
import {
  type AirportTotals,
  derive,
  EARNED_TAGS,
  EMPTY_TOTALS,
  type Derived,
  merge,
  scores,
  tagsFor,
} from "../state/derive.ts";
import type { AirportRecord, State } from "../state/state.ts";

export async function applyBatch(state: State, places: ReadonlyMap<string, Airport>, batch: Batch): Promise<void> {
  const more = derive(batch.flights);
  await Promise.all([
    ...[...more.airports].map(([code, totals]) => applyAirport(state, place(places, code), totals, batch.to)),
    ...[...more.airports].flatMap(([code, { served }]) => served.map((to) => applyRoute(state, code, to))),
    applyCounters(state, more, batch.to),
    state.places.addMany([...more.airports.keys()].map((code) => [code, place(places, code)])),
  ]);
  await forgetSearches(state, places, more);
}

/** Every cached search that this batch may have changed, in whichever process's memory: by what it asked for, not by its key. */
async function forgetSearches({ caches }: State, places: ReadonlyMap<string, Airport>, more: Derived): Promise<void> {
  const tags = new Set<string>(EARNED_TAGS);
  for (const [code, { served }] of more.airports) {
    tags.add(`state:${place(places, code).state}`);
    for (const to of served) tags.add(`to:${to}`);
  }
  await caches.searches.invalidate({ tags: [...tags] });
}

async function applyAirport(state: State, airport: Airport, more: AirportTotals, upTo: number): Promise<void> {
  const { code } = airport;
  const record = await addToRecord(state, airport, more, upTo);
  const { busiest, delayed, connected } = scores(record);
  await Promise.all([
    state.boards.busiest.best(code, busiest),
    state.boards.delayed.best(code, delayed),
    state.boards.connected.best(code, connected),
    state.tags.add(code, tagsFor(airport.state, record)),
  ]);
}

async function addToRecord(state: State, airport: Airport, more: AirportTotals, upTo: number): Promise<AirportRecord> {
  const { code, name, city, state: usState } = airport;
  const about = { code, name, city, state: usState, upTo };
  const nothing: AirportRecord = { ...EMPTY_TOTALS, ...about, upTo: -1 };
  const change = (before: AirportRecord): AirportRecord =>
    before.upTo >= upTo ? before : { ...merge(before, more), ...about };
  const updated = await state.airports.update(code, change, { initial: nothing });
  if (updated.status === "ok") return updated.value;
  throw new HoldfastError("CONFLICT", `another worker is writing ${code}`, { retryable: true });
}

async function applyRoute(state: State, from: string, to: string): Promise<void> {
  await state.routes.add(`${from}-${to}`, [`from:${from}`, `to:${to}`]);
}

async function applyCounters(state: State, more: Derived, upTo: number): Promise<void> {
  const idempotencyKey = `batch-${upTo}`;
  const totals = Object.entries(more.totals).map(([id, by]) => state.totals.increment(id, by, { idempotencyKey }));
  const days = [...more.days].map(([day, by]) => state.days.increment(day, by, { idempotencyKey }));
  await Promise.all([...totals, ...days]);
}

function place(places: ReadonlyMap<string, Airport>, code: string): Airport {
  const airport = places.get(code);
  if (airport === undefined) throw new Error(`no airport ${code} in the data`);
  return airport;
}
