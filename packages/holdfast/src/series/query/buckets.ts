/** What a caller gets of each bucket: the aggregates that it asked for, also of buckets in which there is nothing. */
import { step, type Summary } from "../aggregate/summary.ts";
import { type Asked, quantileOf, type SeriesAggregate } from "./options.ts";

/**
 * A value is undefined only where `fill: "empty"` has nothing, or `previous` and `linear` have no neighbour; and a percentile of a time
 * of which the roll-up was kept without percentiles, when its points are gone.
 */
export type SeriesBucket<A extends SeriesAggregate = SeriesAggregate> = {
  /** Its start, in milliseconds since 1970. */
  readonly at: number;
} & { readonly [name in A]: number | undefined };

type Values = Record<string, number | undefined>;
export type Row = { at: number; values: Values };

const MS_PER_SECOND = 1_000;

/** How many buckets before `from` are looked at, for what a value there depends on. */
export function lookBack({ aggregates, fill }: Asked): number {
  return fill === "previous" || fill === "linear" || aggregates.some((each) => OF_COUNTERS.has(each)) ? 1 : 0;
}

/** @param summaries in the order of time, from `lookBack` buckets before the first that is asked for */
export async function rowsOf(asked: Asked, summaries: AsyncIterable<[number, Summary]>): Promise<Row[]> {
  const rows: Row[] = [];
  let before: Summary | undefined;
  for await (const [at, summary] of summaries) {
    rows.push({ at, values: valuesOf(asked, at, summary, before) });
    before = summary;
  }
  const first = asked.from - (asked.from % asked.everyMs);
  return filled(asked, rows).filter(({ at }) => at >= first);
}

export const bucketsOfRows = <A extends SeriesAggregate>(rows: readonly Row[]): SeriesBucket<A>[] =>
  rows.map(({ at, values }) => ({ at, ...values }) as unknown as SeriesBucket<A>);

const OF_COUNTERS: ReadonlySet<SeriesAggregate> = new Set(["increase", "rate"]);

function valuesOf(asked: Asked, at: number, summary: Summary, before: Summary | undefined): Values {
  const values: Values = {};
  for (const aggregate of asked.aggregates) values[aggregate] = valueOf(asked, at, summary, before, aggregate);
  return values;
}

function valueOf(
  asked: Asked,
  at: number,
  summary: Summary,
  before: Summary | undefined,
  aggregate: SeriesAggregate,
): number | undefined {
  const quantile = quantileOf(aggregate);
  if (quantile !== undefined) return quantileIn(summary, quantile);
  const increase = summary.increase + (before === undefined ? 0 : step(before.last, summary.first));
  if (aggregate === "increase") return increase;
  if (aggregate === "rate") return increase / (lengthOf(asked, at, summary, before) / MS_PER_SECOND);
  if (aggregate === "avg") return summary.sum / summary.count;
  return summary[aggregate as "sum" | "min" | "max" | "count" | "first" | "last"];
}

/** A bin's middle may lie beyond all values. */
function quantileIn({ quantiles, min, max }: Summary, q: number): number | undefined {
  return quantiles === undefined ? undefined : Math.min(Math.max(quantiles.at(q), min), max);
}

/** Of a bucket that is not over yet: the time between the points that its increase is computed from. */
function lengthOf({ everyMs, now }: Asked, at: number, summary: Summary, before: Summary | undefined): number {
  if (at + everyMs <= now) return everyMs;
  return Math.max(summary.lastAt - (before?.lastAt ?? summary.firstAt), 1);
}

function filled(asked: Asked, rows: readonly Row[]): readonly Row[] {
  const { from, to, everyMs, fill } = asked;
  if (fill === "none") return rows;
  const found = new Map(rows.map((row) => [row.at, row]));
  const result: Row[] = [];
  const first = from - (from % everyMs) - lookBack(asked) * everyMs;
  for (let at = Math.max(first, 0); at < to; at += everyMs) {
    const row = found.get(at);
    const previous = result.at(-1)?.values;
    if (row !== undefined) result.push(row);
    else result.push({ at, values: emptyValues(asked, fill === "previous" ? previous : undefined) });
  }
  if (fill === "linear") interpolate(asked, result, found);
  return result;
}

function emptyValues({ aggregates, fill }: Asked, previous: Values | undefined): Values {
  const value = fill === "zero" ? 0 : undefined;
  return Object.fromEntries(aggregates.map((each) => [each, previous === undefined ? value : previous[each]]));
}

function interpolate({ aggregates }: Asked, rows: readonly Row[], found: ReadonlyMap<number, Row>): void {
  const known = rows.flatMap(({ at }, place) => (found.has(at) ? [place] : []));
  for (let next = 1; next < known.length; next += 1) {
    const [left, right] = [known[next - 1]!, known[next]!];
    for (let place = left + 1; place < right; place += 1) {
      const part = (place - left) / (right - left);
      for (const each of aggregates) {
        const [a, b] = [rows[left]!.values[each], rows[right]!.values[each]];
        if (a !== undefined && b !== undefined) rows[place]!.values[each] = a * (1 - part) + b * part;
      }
    }
  }
}
