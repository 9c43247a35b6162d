/** Messages of one partition from a place on, in either direction, as far as a page needs them. */
import type { LogPack } from "../../core/log/pack.ts";
import type { LogStore } from "../../core/log/store.ts";
import type { TopicEnvelope } from "../message.ts";

export interface Found {
  readonly partition: number;
  readonly pack: LogPack;
  readonly offset: number;
}

export interface Scan {
  /** In order. */
  readonly found: readonly Found[];
  /** The last offset in its direction that is settled. */
  readonly reached: number;
  /** There are no older ones. */
  readonly isOver: boolean;
}

export interface ScanTerms {
  readonly store: LogStore;
  readonly partition: number;
  readonly limit: number;
  readonly isWanted: ((message: TopicEnvelope) => boolean) | undefined;
  /** What `isWanted` throws, and a pack that cannot be read: such messages are left out. */
  readonly onError: (error: unknown) => void;
}

/** Looked at for one page, in each partition: where few messages are wanted, a page has fewer than it may, and a cursor. */
const MAX_LOOKED_AT = 10_000;
const CHUNK = 256;
const CHUNK_PACKS = 64;

/** The last `limit` below that offset. Cost: two XRANGE per 256 messages that are looked at. */
export async function below(terms: ScanTerms, offset: number): Promise<Scan> {
  const { store, limit, isWanted } = terms;
  const size = isWanted === undefined ? Math.min(limit, CHUNK) : CHUNK;
  let found: Found[] = [];
  let high = offset;
  while (high > 1 && found.length < limit && offset - high < MAX_LOOKED_AT) {
    const low = Math.max(1, high - size);
    const packs = await store.between(low, high - 1);
    found = [...matching(terms, packs, low, high - 1), ...found];
    high = low;
    if (packs[0] === undefined || packs[0].first > low) return lastOf(found, limit, 1);
  }
  return lastOf(found, limit, high);
}

/** The first `limit` above that offset. Cost: an XRANGE per 64 packs that are looked at. */
export async function above(terms: ScanTerms, offset: number): Promise<Scan> {
  const { store, limit } = terms;
  const found: Found[] = [];
  let reached = offset;
  while (found.length < limit && reached - offset < MAX_LOOKED_AT) {
    const packs = await store.range(reached + 1, CHUNK_PACKS);
    found.push(...matching(terms, packs, reached + 1, Infinity));
    reached = packs.at(-1)?.last ?? reached;
    if (packs.length < CHUNK_PACKS) break;
  }
  if (found.length > limit) reached = found[limit - 1]!.offset;
  return { found: found.slice(0, limit), reached, isOver: false };
}

/** What is cut off is looked at again for the next page. */
function lastOf(all: readonly Found[], limit: number, reached: number): Scan {
  const found = all.slice(-limit);
  if (found.length < all.length) return { found, reached: found[0]!.offset, isOver: false };
  return { found, reached, isOver: reached <= 1 };
}

function matching(terms: ScanTerms, packs: readonly LogPack[], from: number, to: number): Found[] {
  const { partition } = terms;
  const found: Found[] = [];
  for (const pack of packs) {
    const last = Math.min(to, pack.last);
    if (!isReadable(terms, pack)) continue;
    for (let offset = Math.max(from, pack.first); offset <= last; offset += 1)
      if (isMatch(terms, pack, offset)) found.push({ partition, pack, offset });
  }
  return found;
}

function isReadable({ onError }: ScanTerms, pack: LogPack): boolean {
  try {
    return pack.frames.length > 0;
  } catch (error) {
    onError(error);
    return false;
  }
}

function isMatch({ isWanted, onError }: ScanTerms, pack: LogPack, offset: number): boolean {
  if (isWanted === undefined) return true;
  try {
    return isWanted(pack.frame(offset));
  } catch (error) {
    onError(error);
    return false;
  }
}
