/** The newest entries of many sorted sets: a k-way merge here, which reads more only of those whose entries reach into the result. */
import { inChunks } from "../../core/batch/in-chunks.ts";
import { compare, type Place } from "../entry.ts";
import { type Command, FeedStore, placesOf } from "../store.ts";

export interface Source {
  readonly key: string;
  /** Nothing before this time (us). */
  readonly from: number;
  /** Its entries are shown whoever their author is. */
  readonly isNamed: boolean;
}

export interface Candidate extends Place {
  readonly isNamed: boolean;
}

interface Cursor {
  readonly source: Source;
  readonly found: Candidate[];
  place: Place | undefined;
  isDone: boolean;
}

/** Sources of one pipeline: about half a millisecond of the server's. */
const CHUNK = 256;
const MIN_READ = 4;

/** At most `most`, below `place` or from the newest on; each id once. */
export async function newest(
  store: FeedStore,
  sources: readonly Source[],
  place: Place | undefined,
  most: number,
): Promise<Candidate[]> {
  const cursors = sources.map((source): Cursor => ({ source, found: [], place, isDone: false }));
  let size = Math.min(most, Math.ceil((2 * most) / Math.max(sources.length, 1)) + MIN_READ);
  let toRead = cursors;
  for (;;) {
    await inChunks(toRead, (chunk) => read(store, chunk, size), { size: CHUNK, parallel: 2 });
    const merged = mergedOf(cursors.map(({ found }) => found));
    const last = merged[most - 1];
    // What is not read yet of one lies below the last that was read of it.
    toRead = cursors.filter((each) => !each.isDone && (last === undefined || compare(each.place!, last) < 0));
    if (toRead.length === 0) return merged.slice(0, most);
    size = Math.min(most, size * 2);
  }
}

/** Sorted, each id once; where it is in several lists, it is named if it is in any. */
export function mergedOf(lists: readonly (readonly Candidate[])[]): Candidate[] {
  const filled = lists.filter((list) => list.length > 0);
  // Each is in its order.
  if (filled.length <= 1) return [...(filled[0] ?? [])];
  const byId = new Map<string, Candidate>();
  for (const list of filled)
    for (const each of list) {
      const known = byId.get(each.id);
      if (known === undefined || (each.isNamed && !known.isNamed)) byId.set(each.id, each);
    }
  return [...byId.values()].toSorted(compare);
}

async function read(store: FeedStore, cursors: readonly Cursor[], size: number): Promise<undefined[]> {
  const call = store.call("page", "read");
  const commandOf = ({ source, place }: Cursor, offset = 0): Command =>
    FeedStore.below(source.key, place, source.from, size, offset);
  const replies = await store.spread(
    cursors.map((cursor) => commandOf(cursor)),
    call,
  );
  for (const [at, cursor] of cursors.entries()) {
    const { source, found, place } = cursor;
    let rows = replies[at] instanceof Error ? [] : placesOf(replies[at]!, call);
    let below = rows.filter((row) => place === undefined || compare(place, row) < 0);
    // Very many entries of the very same time.
    for (let offset = size; below.length === 0 && rows.length === size; offset += size) {
      const [reply] = await store.spread([commandOf(cursor, offset)], call);
      rows = placesOf(reply!, call);
      below = rows.filter((row) => compare(place!, row) < 0);
    }
    for (const { id, score } of below) found.push({ id, score, isNamed: source.isNamed });
    cursor.place = found.at(-1) ?? place;
    cursor.isDone = rows.length < size;
  }
  return cursors.map(() => undefined);
}
