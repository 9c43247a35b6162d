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

/** Periods whose points one request reads. */
const POINTS_BATCH = 32;
/** And of a roll-up, whose fields are small; of most of them there are no points besides. */
const ROLLUP_BATCH = 256;

/** Yields the points of one period after the other. */
export async function* pointsOf(store: SeriesStore, id: string, span: Span): AsyncGenerator<Points> {
  for (const periods of batches(store, span, POINTS_BATCH))
    for (const { points } of await readPeriods(store, id, periods)) yield within(points, span);
}

/** Yields each bucket in which there is something, by its start. */
export async function* bucketsOf(store: SeriesStore, id: string, wanted: Bucketed): AsyncGenerator<[number, Summary]> {
  const rollup = store.settings.rollups.find(
    ({ everyMs, percentiles }) => wanted.everyMs % everyMs === 0 && (percentiles || !wanted.percentiles),
  );
  let bucket: [number, Summary] | undefined;
  for (const periods of batches(store, wanted, rollup === undefined ? POINTS_BATCH : ROLLUP_BATCH)) {
    for (const summaries of await summariesOf(store, id, periods, wanted, rollup)) {
      for (const [at, summary] of summaries) {
        const start = at - (at % wanted.everyMs);
        if (bucket?.[0] === start) bucket[1].merge(summary);
        else {
          if (bucket !== undefined) yield bucket;
          bucket = [start, summary];
        }
      }
    }
  }
  if (bucket !== undefined) yield bucket;
}

/** Of each period, in their order: from the roll-up where there is one and nothing came since, else from the points. */
async function summariesOf(
  store: SeriesStore,
  id: string,
  periods: readonly number[],
  wanted: Bucketed,
  rollup: Rollup | undefined,
): Promise<Summaries[]> {
  if (rollup === undefined)
    return (await readPeriods(store, id, periods)).map(({ points }) => summarized(within(points, wanted), wanted));
  const openKeys = periods.map((period) => store.openKey({ id, period }));
  // In this order: what is sealed in between is in the roll-up then.
  const [open, rolled] = await Promise.all([store.chunks(id, openKeys), store.rolled(rollup, id, periods)]);
  const others = periods.filter((_, at) => rolled[at] === null || open[at] !== null);
  const read = new Map((await readPeriods(store, id, others)).map(({ period, points }) => [period, points]));
  return periods.map((period, at) => {
    const points = read.get(period);
    if (points !== undefined) return summarized(within(points, wanted), wanted);
    const key = store.rollupKey({ id, period }, rollup);
    const all = readSummaries(key, rolled[at]!, store.startOf(period), rollup.everyMs);
    for (const start of all.keys()) if (start < wanted.from || start >= wanted.to) all.delete(start);
    return all;
  });
}

async function readPeriods(
  store: SeriesStore,
  id: string,
  periods: readonly number[],
): Promise<{ period: number; points: Points }[]> {
  if (periods.length > POINTS_BATCH) {
    const first = await readPeriods(store, id, periods.slice(0, POINTS_BATCH));
    return [...first, ...(await readPeriods(store, id, periods.slice(POINTS_BATCH)))];
  }
  const keys = periods.flatMap((period) => [store.sealedKey({ id, period }), store.openKey({ id, period })]);
  const chunks = await store.chunks(id, keys);
  return periods.map((period, at) => {
    const start = store.startOf(period);
    const sealed = readSealed(keys[2 * at]!, chunks[2 * at]!, start).points;
    const open = readOpen(keys[2 * at + 1]!, chunks[2 * at + 1]!, start);
    return { period, points: settled([sealed, open], store.settings.duplicates) };
  });
}

/** Of points in the order of time. */
function within(points: Points, { from, to }: Span): Points {
  const { times, values } = points;
  if (times.length === 0 || (times[0]! >= from && times.at(-1)! < to)) return points;
  const isIn = (time: number): boolean => time >= from && time < to;
  return { times: times.filter(isIn), values: values.filter((_, at) => isIn(times[at]!)) };
}

function* batches(store: SeriesStore, { from, to }: Span, size: number): Generator<number[]> {
  const end = store.periodOf(to - 1);
  for (let period = store.periodOf(from); period <= end; period += size)
    yield Array.from({ length: Math.min(size, end - period + 1) }, (_, at) => period + at);
}
