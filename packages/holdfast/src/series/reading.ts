/** Reading: the points of a span of time, or what is known of each of its buckets, in the order of time and in bounded steps. */
import { readSummaries, summarized, type Summaries, type Summary } from "./aggregate/summary.ts";
import { readOpen, readSealed } from "./chunk/chunk.ts";
import { type Points, settled } from "./chunk/points.ts";
import type { Rollup } from "./options.ts";
import type { SeriesStore } from "./store.ts";

export interface Span {
  /** Milliseconds since 1970; the first that belongs to it. */
  readonly from: number;
  /** The first that does not. */
  readonly to: number;
}

export interface Bucketed extends Span {
  /** `from` and `to` are multiples of it. */
  readonly everyMs: number;
  readonly percentiles: boolean;
}

/** Periods whose points one request reads: few at first, and then as many as have about `WANTED_BYTES`. */
const FIRST_BATCH = 8;
const MAX_BATCH = 32;
/** Of one request, which then holds the server for less than a millisecond. */
const WANTED_BYTES = 1_024 * 1_024;
/** And of a roll-up, whose fields are small; of most of them there are no points besides. */
const ROLLUP_BATCH = 256;

/** Yields the points of one period after the other. */
export async function* pointsOf(store: SeriesStore, id: string, span: Span): AsyncGenerator<Points> {
  for await (const { points } of readPeriods(store, id, periodsOf(store, span))) yield within(points, span);
}

/** Yields each bucket in which there is something, by its start. */
export async function* bucketsOf(store: SeriesStore, id: string, wanted: Bucketed): AsyncGenerator<[number, Summary]> {
  let bucket: [number, Summary] | undefined;
  for await (const summaries of summariesOf(store, id, wanted)) {
    for (const [at, summary] of summaries) {
      const start = at - (at % wanted.everyMs);
      if (bucket?.[0] === start) bucket[1].merge(summary);
      else {
        if (bucket !== undefined) yield bucket;
        bucket = [start, summary];
      }
    }
  }
  if (bucket !== undefined) yield bucket;
}

/** Yields those of each period, in their order: from a roll-up where there is one and nothing came since, else from the points. */
async function* summariesOf(store: SeriesStore, id: string, wanted: Bucketed): AsyncGenerator<Summaries> {
  const rollups = store.settings.rollups.filter(
    ({ everyMs, percentiles }) => wanted.everyMs % everyMs === 0 && (percentiles || !wanted.percentiles),
  );
  const all = periodsOf(store, wanted);
  if (rollups.length === 0) {
    for await (const { points } of readPeriods(store, id, all)) yield summarized(within(points, wanted), wanted);
    return;
  }
  for (let at = 0; at < all.length; at += ROLLUP_BATCH) {
    const periods = all.slice(at, at + ROLLUP_BATCH);
    const found = await rolledUp(store, id, periods, wanted, rollups);
    const others = periods.filter((period) => isPartial(found.get(period), wanted));
    for await (const { period, points } of readPeriods(store, id, others))
      // Where the points are gone, what there is of a roll-up is all that there is.
      if (points.times.length > 0) found.set(period, summarized(within(points, wanted), wanted));
    for (const period of periods) yield found.get(period) ?? new Map();
  }
}

/** Of the periods to which nothing came since: from the longest buckets, and from others where those are not kept, or not yet. */
async function rolledUp(
  store: SeriesStore,
  id: string,
  periods: readonly number[],
  wanted: Bucketed,
  rollups: readonly Rollup[],
): Promise<Map<number, Summaries>> {
  const openKeys = periods.map((period) => store.openKey({ id, period }));
  // Before the roll-ups: what is sealed in between is in them then.
  const open = await store.chunks(id, openKeys);
  const found = new Map<number, Summaries>();
  let missing = periods.filter((_, at) => open[at] === null);
  for (const rollup of rollups) {
    if (missing.length === 0) break;
    const rolled = await store.rolled(rollup, id, missing);
    for (const [at, period] of missing.entries()) {
      const packed = rolled[at]!;
      if (packed === null) continue;
      const all = readSummaries(store.rollupKey({ id, period }, rollup), packed, store.startOf(period), rollup.everyMs);
      for (const start of all.keys()) if (start < wanted.from || start >= wanted.to) all.delete(start);
      found.set(period, all);
    }
    missing = missing.filter((period) => isPartial(found.get(period), wanted));
  }
  return found;
}

/** There is none, or it was kept before the roll-up had percentiles. */
function isPartial(summaries: Summaries | undefined, { percentiles }: Bucketed): boolean {
  if (summaries === undefined) return true;
  return percentiles && [...summaries.values()].some(({ quantiles }) => quantiles === undefined);
}

async function* readPeriods(
  store: SeriesStore,
  id: string,
  periods: readonly number[],
): AsyncGenerator<{ period: number; points: Points }> {
  let size = FIRST_BATCH;
  for (let at = 0; at < periods.length;) {
    const batch = periods.slice(at, at + size);
    const keys = batch.flatMap((period) => [store.sealedKey({ id, period }), store.openKey({ id, period })]);
    const chunks = await store.chunks(id, keys);
    for (const [place, period] of batch.entries()) {
      const start = store.startOf(period);
      const sealed = readSealed(keys[2 * place]!, chunks[2 * place]!, start).points;
      const open = readOpen(keys[2 * place + 1]!, chunks[2 * place + 1]!, start);
      yield { period, points: settled([sealed, open], store.settings.duplicates) };
    }
    at += batch.length;
    const bytes = chunks.reduce((sum, chunk) => sum + (chunk?.length ?? 0), 0);
    size = Math.min(Math.max(Math.floor((WANTED_BYTES * batch.length) / Math.max(bytes, 1)), 1), MAX_BATCH);
  }
}

/** Of points in the order of time. */
function within(points: Points, { from, to }: Span): Points {
  const { times, values } = points;
  if (times.length === 0 || (times[0]! >= from && times.at(-1)! < to)) return points;
  const isIn = (time: number): boolean => time >= from && time < to;
  return { times: times.filter(isIn), values: values.filter((_, at) => isIn(times[at]!)) };
}

function periodsOf(store: SeriesStore, { from, to }: Span): number[] {
  const first = store.periodOf(from);
  return Array.from({ length: Math.max(store.periodOf(to - 1) - first + 1, 0) }, (_, at) => first + at);
}
