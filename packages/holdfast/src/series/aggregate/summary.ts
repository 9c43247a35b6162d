/** What is known of the points of one bucket of time, and can be put together with the next one's. */
import { ByteReader, ByteWriter } from "../chunk/bytes.ts";
import { damaged } from "../chunk/chunk.ts";
import type { Points } from "../chunk/points.ts";
import { pack, readFloats, readSteps, unpack, writeFloats, writeSteps } from "../chunk/columns.ts";
import { Quantiles } from "./quantiles.ts";

const VERSION = 1;

export class Summary {
  count = 0;
  sum = 0;
  min: number = Infinity;
  max: number = -Infinity;
  firstAt = 0;
  first = 0;
  lastAt = 0;
  last = 0;
  /** Of a counter, from the first point to the last. */
  increase = 0;
  quantiles: Quantiles | undefined;

  constructor(quantiles?: Quantiles) {
    this.quantiles = quantiles;
  }

  /** In the order of time. */
  add(at: number, value: number): void {
    if (this.count === 0) {
      this.firstAt = at;
      this.first = value;
    } else this.increase += step(this.last, value);
    this.count += 1;
    this.sum += value;
    this.min = Math.min(this.min, value);
    this.max = Math.max(this.max, value);
    this.lastAt = at;
    this.last = value;
    this.quantiles?.add(value);
  }

  /** In the order of time. */
  merge(later: Summary): void {
    if (this.count === 0) {
      this.firstAt = later.firstAt;
      this.first = later.first;
    } else this.increase += step(this.last, later.first);
    this.increase += later.increase;
    this.count += later.count;
    this.sum += later.sum;
    this.min = Math.min(this.min, later.min);
    this.max = Math.max(this.max, later.max);
    this.lastAt = later.lastAt;
    this.last = later.last;
    // Of a part of the points there are no percentiles.
    if (later.quantiles === undefined) this.quantiles = undefined;
    else this.quantiles?.merge(later.quantiles);
  }
}

/** By how much a counter has risen: one that fell has begun again at 0. */
export function step(before: number, after: number): number {
  return after >= before ? after - before : after;
}

/** The summaries of one period, by the starts of their buckets, in the order of time. */
export type Summaries = ReadonlyMap<number, Summary>;

/** Of points in the order of time. */
export function summarized(
  { times, values }: Points,
  { everyMs, percentiles }: { readonly everyMs: number; readonly percentiles: boolean },
): Summaries {
  const summaries = new Map<number, Summary>();
  let summary: Summary | undefined;
  let end = -Infinity;
  for (let at = 0; at < times.length; at += 1) {
    const time = times[at]!;
    if (summary === undefined || time >= end) {
      const start = time - (time % everyMs);
      end = start + everyMs;
      summaries.set(start, (summary = new Summary(percentiles ? new Quantiles() : undefined)));
    }
    summary.add(time, values[at]!);
  }
  return summaries;
}

export function writeSummaries(summaries: Summaries, start: number, every: number): Buffer {
  const writer = new ByteWriter();
  const all = [...summaries.values()];
  const withQuantiles = all.every(({ quantiles }) => quantiles !== undefined);
  writer.byte(VERSION);
  writer.byte(withQuantiles ? 1 : 0);
  writer.whole(all.length);
  const steps = (values: number[]): void => writeSteps(writer, values);
  const floats = (values: number[]): void => writeFloats(writer, values);
  steps([...summaries.keys()].map((at) => (at - start) / every));
  steps(all.map(({ count }) => count));
  steps(all.map(({ firstAt }) => firstAt - start));
  steps(all.map(({ lastAt }) => lastAt - start));
  for (const column of FLOATS) floats(all.map((summary) => summary[column]));
  if (withQuantiles) for (const { quantiles } of all) quantiles!.write(writer);
  return pack(writer.end());
}

export function readSummaries(key: string, packed: Buffer, start: number, every: number): Map<number, Summary> {
  try {
    const reader = new ByteReader(unpack(packed));
    if (reader.byte() !== VERSION) throw new RangeError("an unknown version");
    const withQuantiles = reader.byte() === 1;
    const size = reader.whole();
    if (size > reader.left) throw new RangeError("more buckets than bytes");
    const steps = (): number[] => readSteps(reader, size);
    const buckets = steps();
    const [counts, firsts, lasts] = [steps(), steps(), steps()];
    const floats = FLOATS.map(() => readFloats(reader, size));
    const result = new Map<number, Summary>();
    for (const [at, bucket] of buckets.entries()) {
      const summary = new Summary();
      summary.count = counts[at]!;
      summary.firstAt = start + firsts[at]!;
      summary.lastAt = start + lasts[at]!;
      for (const [column, name] of FLOATS.entries()) summary[name] = floats[column]![at]!;
      result.set(start + bucket * every, summary);
    }
    if (withQuantiles) for (const summary of result.values()) summary.quantiles = Quantiles.read(reader);
    return result;
  } catch (cause) {
    throw damaged(key, cause);
  }
}

const FLOATS = ["sum", "min", "max", "first", "last", "increase"] as const;
