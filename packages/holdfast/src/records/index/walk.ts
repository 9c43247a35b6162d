/** The entries of some ranges of one field in their order, merged over the partitions, a chunk of each at a time. */
import { type Entry, entryRanges, placeOf, type Range, readEntry } from "./entry.ts";
import type { IndexStore } from "./store.ts";

export interface Walked extends Entry {
  readonly value: Buffer;
  readonly member: Buffer;
  readonly partition: number;
}

export interface WalkOptions {
  readonly field: string;
  /** In ascending order, and apart from each other. */
  readonly ranges: readonly Range[];
  readonly isReverse: boolean;
  /** Where to go on: behind this one, or before it where the walk is reverse. */
  readonly from: Pick<Entry, "key" | "id"> | undefined;
  /** Entries that are likely to be wanted. */
  readonly wanted: number;
}

const MIN_CHUNK = 4;
const MAX_CHUNK = 512;

interface Source {
  readonly partition: number;
  range: Range;
  buffered: Walked[];
  at: number;
  chunk: number;
  isOver: boolean;
}

export async function* walk(store: IndexStore, options: WalkOptions): AsyncGenerator<Walked> {
  const { field, isReverse, from } = options;
  const ranges = entryRanges(field, options.ranges);
  for (const entries of isReverse ? ranges.toReversed() : ranges) {
    const rest = from === undefined ? entries : beyond(entries, placeOf(from), isReverse);
    if (rest !== undefined) yield* merged(store, rest, options);
  }
}

/** What is left of a range behind a place. */
function beyond(range: Range, place: Range, isReverse: boolean): Range | undefined {
  const min = isReverse || Buffer.compare(range.min, place.max) > 0 ? range.min : place.max;
  const max = !isReverse || Buffer.compare(range.max, place.min) < 0 ? range.max : place.min;
  return Buffer.compare(min, max) < 0 ? { min, max } : undefined;
}

async function* merged(store: IndexStore, range: Range, { isReverse, wanted }: WalkOptions): AsyncGenerator<Walked> {
  const { partitions } = store.settings;
  const chunk = Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, Math.ceil((2 * wanted) / partitions)));
  const sources = Array.from({ length: partitions }, (_, partition): Source => {
    return { partition, range, buffered: [], at: 0, chunk, isOver: false };
  });
  for (;;) {
    const dry = sources.filter(({ at, buffered, isOver }) => !isOver && at >= buffered.length);
    await Promise.all(dry.map((source) => fill(store, source, isReverse)));
    let next: Source | undefined;
    for (const source of sources) {
      if (source.at >= source.buffered.length) continue;
      const order = next === undefined ? -1 : Buffer.compare(top(source).member, top(next).member);
      if (next === undefined || (isReverse ? order > 0 : order < 0)) next = source;
    }
    if (next === undefined) return;
    yield top(next);
    next.at += 1;
  }
}

const top = (source: Source): Walked => source.buffered[source.at]!;

async function fill(store: IndexStore, source: Source, isReverse: boolean): Promise<void> {
  const { partition, range, chunk } = source;
  const members = await store.range(partition, range, chunk, isReverse);
  source.isOver = members.length < chunk;
  source.at = 0;
  source.buffered = members.flatMap((member) => {
    const entry = readEntry(member);
    return entry === undefined ? [] : [{ ...entry, member, partition }];
  });
  const last = members.at(-1);
  if (last !== undefined)
    source.range = isReverse ? { ...range, max: last } : { ...range, min: Buffer.concat([last, Buffer.of(0)]) };
  source.chunk = Math.min(MAX_CHUNK, chunk * 2);
}
