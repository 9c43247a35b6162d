/**
 * Quantiles within a relative error: counts in bins whose widths grow with the value (DDSketch, Masson et al., VLDB 2019). Two of them
 * are merged by adding their counts, so quantiles of a long time come from those of short ones.
 */
import { type ByteReader, type ByteWriter } from "../chunk/bytes.ts";
import { readSteps, writeSteps } from "../chunk/columns.ts";

/** Of a quantile to the true value, as long as there are no more bins than `MAX_BINS`. */
export const QUANTILE_ERROR = 0.01;
const GAMMA = (1 + QUANTILE_ERROR) / (1 - QUANTILE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);
/** Smaller ones count as zero. */
const SMALLEST = 1e-12;
/** Enough for values over 17 powers of ten; where there are more, the smallest share a bin. */
const KEPT_BINS = 2_048;
const MAX_BINS = 2_560;

type Bins = Map<number, number>;

export class Quantiles {
  readonly #above: Bins = new Map();
  readonly #below: Bins = new Map();
  #zeros = 0;
  #count = 0;

  add(value: number, count = 1): void {
    this.#count += count;
    if (Math.abs(value) < SMALLEST) this.#zeros += count;
    else counted(value > 0 ? this.#above : this.#below, Math.ceil(Math.log(Math.abs(value)) / LOG_GAMMA), count);
  }

  merge(other: Quantiles): void {
    this.#count += other.#count;
    this.#zeros += other.#zeros;
    for (const [bin, count] of other.#above) counted(this.#above, bin, count);
    for (const [bin, count] of other.#below) counted(this.#below, bin, count);
  }

  /** The value below which the part `q` of all lies, 0 <= q <= 1. */
  at(q: number): number {
    let rank = q * (this.#count - 1);
    for (const bin of [...this.#below.keys()].toSorted((a, b) => b - a)) {
      rank -= this.#below.get(bin)!;
      if (rank < 0) return -middleOf(bin);
    }
    rank -= this.#zeros;
    if (rank < 0) return 0;
    let last = 0;
    for (const bin of [...this.#above.keys()].toSorted((a, b) => a - b)) {
      last = middleOf(bin);
      rank -= this.#above.get(bin)!;
      if (rank < 0) break;
    }
    return last;
  }

  write(writer: ByteWriter): void {
    writer.whole(this.#zeros);
    for (const bins of [this.#above, this.#below]) {
      const sorted = [...bins].toSorted(([a], [b]) => a - b);
      writer.whole(sorted.length);
      writeSteps(
        writer,
        sorted.map(([bin]) => bin),
      );
      for (const [, count] of sorted) writer.whole(count);
    }
  }

  static read(reader: ByteReader): Quantiles {
    const result = new Quantiles();
    result.#zeros = result.#count = reader.whole();
    for (const bins of [result.#above, result.#below]) {
      const size = reader.whole();
      if (size > MAX_BINS) throw new RangeError("too many bins");
      for (const bin of readSteps(reader, size)) bins.set(bin, 0);
      for (const bin of bins.keys()) {
        const count = reader.whole();
        bins.set(bin, count);
        result.#count += count;
      }
    }
    return result;
  }
}

function counted(bins: Bins, bin: number, count: number): void {
  bins.set(bin, (bins.get(bin) ?? 0) + count);
  if (bins.size > MAX_BINS) collapse(bins);
}

function collapse(bins: Bins): void {
  const sorted = [...bins.keys()].toSorted((a, b) => a - b);
  const surplus = sorted.length - KEPT_BINS;
  const lowest = sorted[surplus]!;
  for (const bin of sorted.slice(0, surplus)) {
    bins.set(lowest, bins.get(lowest)! + bins.get(bin)!);
    bins.delete(bin);
  }
}

/** Of all values of a bin the one whose relative distance to both ends is the same. */
function middleOf(bin: number): number {
  return (2 * GAMMA ** bin) / (GAMMA + 1);
}
