/** Several series as one: aligned by their buckets, and reduced. */
import type { Row } from "./buckets.ts";
import type { SeriesReduce } from "./options.ts";

/** @param all of each series its rows, in the order of time */
export function reduced(all: readonly (readonly Row[])[], reduce: SeriesReduce): Row[] {
  const byTime = new Map<number, Record<string, number[]>>();
  for (const { at, values } of all.flat()) {
    let columns = byTime.get(at);
    if (columns === undefined) byTime.set(at, (columns = {}));
    for (const [name, value] of Object.entries(values)) {
      columns[name] ??= [];
      if (value !== undefined) columns[name].push(value);
    }
  }
  return [...byTime]
    .toSorted(([a], [b]) => a - b)
    .map(([at, columns]) => ({
      at,
      values: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, REDUCE[reduce](values)])),
    }));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const REDUCE: Record<SeriesReduce, (values: readonly number[]) => number | undefined> = {
  count: (values) => values.length,
  sum: (values) => (values.length === 0 ? undefined : sum(values)),
  avg: (values) => (values.length === 0 ? undefined : sum(values) / values.length),
  min: (values) => (values.length === 0 ? undefined : Math.min(...values)),
  max: (values) => (values.length === 0 ? undefined : Math.max(...values)),
};
