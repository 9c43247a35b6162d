/** A stream: entries in order of their ids, kept in blocks, and the consumer groups that read it. It may be empty. */
import { SortedIndex } from "../structures/sorted-index.ts";
import { type BlockLimits, StreamBlock, type StreamEntry } from "./stream-block.ts";
import { compareNames, type Counter, type Group, increment, sum } from "./stream-group.ts";
import { compareIds, isZero, MAX_ID, MIN_ID, type StreamId } from "./stream-id.ts";
import { Collection } from "./value.ts";

/** Keep at most `length` of the newest entries, or those from an id on. */
export type Retention = { readonly length: number } | { readonly from: StreamId };

export interface Trim {
  readonly keep: Retention;
  /** Take whole blocks only. */
  readonly approximate: boolean;
  /** Take at most so many entries; 0 is no limit. */
  readonly limit: number;
}

export class StreamValue extends Collection {
  readonly type = "stream";
  /** The greatest id there ever was; the next is above it. */
  lastId: StreamId = MIN_ID;
  /** The greatest id that XDEL has deleted. */
  maxDeletedId: StreamId = MIN_ID;
  entriesAdded: Counter = 0;
  readonly groups: SortedIndex<string, Group> = new SortedIndex(({ name }) => name, compareNames);
  /** Rises with everything that a waiting reader waits for. */
  revision = 0;
  #blocks: StreamBlock[] = [];
  #length = 0;

  get size(): number {
    return this.#length;
  }

  /** The id of the first entry, or 0-0. */
  get firstId(): StreamId {
    return this.range(MIN_ID, MAX_ID, 1)[0]?.id ?? MIN_ID;
  }

  /** The id of the last entry, or 0-0: unlike `lastId`, of one which is there. */
  get lastEntryId(): StreamId {
    return this.rangeReversed(MIN_ID, MAX_ID, 1)[0]?.id ?? MIN_ID;
  }

  /** Where each block begins: the keys of Redis's radix tree. */
  get blockIds(): readonly StreamId[] {
    return this.#blocks.map(({ firstId }) => firstId);
  }

  /** The id must be above `lastId`. */
  append(entry: StreamEntry, limits: BlockLimits, contentLength: number): void {
    const last = this.#blocks.at(-1);
    if (last?.hasRoom(limits, contentLength) === true) last.append(entry);
    else {
      const block = new StreamBlock(entry);
      block.append(entry);
      this.#blocks.push(block);
    }
    this.#length += 1;
    this.entriesAdded = increment(this.entriesAdded);
    this.lastId = entry.id;
    this.revision += 1;
  }

  get(id: StreamId): StreamEntry | undefined {
    const block = this.#blocks[this.#blockOf(id)];
    const entry = block?.entries[block.placeOf(id)];
    return entry !== undefined && compareIds(entry.id, id) === 0 ? entry : undefined;
  }

  /** True when the entry was there. */
  delete(id: StreamId): boolean {
    const at = this.#blockOf(id);
    const block = this.#blocks[at];
    if (block?.delete(id) !== true) return false;
    if (block.entries.length === 0) this.#blocks.splice(at, 1);
    this.#length -= 1;
    if (compareIds(id, this.maxDeletedId) > 0) this.maxDeletedId = id;
    return true;
  }

  /** Both ends included; a count of 0 is no limit. */
  range(start: StreamId, end: StreamId, count = 0): StreamEntry[] {
    const found: StreamEntry[] = [];
    for (let at = this.#blockOf(start); at < this.#blocks.length; at += 1) {
      const { entries } = this.#blocks[at] as StreamBlock;
      for (let i = found.length === 0 ? this.#placeIn(at, start) : 0; i < entries.length; i += 1) {
        const entry = entries[i] as StreamEntry;
        if (compareIds(entry.id, end) > 0) return found;
        if (found.push(entry) === count) return found;
      }
    }
    return found;
  }

  /** As `range`, from `end` down to `start`. */
  rangeReversed(start: StreamId, end: StreamId, count = 0): StreamEntry[] {
    const found: StreamEntry[] = [];
    for (let at = this.#blockOf(end); at >= 0; at -= 1) {
      const entries = this.#blocks[at]?.entries ?? [];
      for (let i = entries.length - 1; i >= 0; i -= 1) {
        const entry = entries[i] as StreamEntry;
        if (compareIds(entry.id, end) > 0) continue;
        if (compareIds(entry.id, start) < 0) return found;
        if (found.push(entry) === count) return found;
      }
    }
    return found;
  }

  /** Returns how many entries went. XDEL's record of deleted ids is not touched, as in Redis. */
  trim({ keep, approximate, limit }: Trim): number {
    let removed = 0;
    let wholeBlocks = 0;
    for (const block of this.#blocks) {
      const live = block.entries.length;
      if ("length" in keep && this.#length <= keep.length) break;
      if (limit > 0 && removed + live > limit) break;
      const whole = "length" in keep ? this.#length - live >= keep.length : compareIds(block.lastId, keep.from) < 0;
      if (!whole && approximate) break;
      const going = whole ? live : "length" in keep ? this.#length - keep.length : block.placeOf(keep.from);
      if (whole) wholeBlocks += 1;
      else block.deleteFirst(going);
      this.#length -= going;
      removed += going;
      if (!whole) break;
    }
    this.#blocks.splice(0, wholeBlocks);
    return removed;
  }

  /** The group has been given this entry. */
  advance(group: Group, id: StreamId): void {
    if (compareIds(id, group.lastId) <= 0) return;
    if (group.entriesRead !== undefined && !this.#hasDeletedFrom(id)) group.entriesRead = increment(group.entriesRead);
    else if (this.entriesAdded !== 0) group.entriesRead = this.#entriesUpTo(id);
    group.lastId = id;
  }

  /** How many entries the group has not been given yet; undefined where deleted entries make that unknowable. */
  lag(group: Group): Counter | undefined {
    if (this.entriesAdded === 0) return 0;
    const counted = group.entriesRead !== undefined && !this.#hasDeletedFrom(group.lastId);
    const read = counted ? group.entriesRead : this.#entriesUpTo(group.lastId);
    return read === undefined ? undefined : sum(this.entriesAdded, -BigInt(read));
  }

  copy(): StreamValue {
    const copy = new StreamValue();
    copy.lastId = this.lastId;
    copy.maxDeletedId = this.maxDeletedId;
    copy.entriesAdded = this.entriesAdded;
    copy.#length = this.#length;
    copy.#blocks = this.#blocks.map((block) => block.copy());
    for (const group of this.groups) copy.groups.add(group.copy());
    return copy;
  }

  encoding(): string {
    return "stream";
  }

  /** Whether XDEL may have left a gap at this id or after it. */
  #hasDeletedFrom(id: StreamId): boolean {
    if (this.#length === 0 || isZero(this.maxDeletedId)) return false;
    return compareIds(this.firstId, this.maxDeletedId) <= 0 && compareIds(id, this.maxDeletedId) <= 0;
  }

  /** How many entries were ever added up to this id, where that follows from the ends of the stream. */
  #entriesUpTo(id: StreamId): Counter | undefined {
    if (this.entriesAdded === 0) return 0;
    const toLast = compareIds(id, this.lastId);
    if (toLast === 0 || (toLast < 0 && this.#length === 0)) return this.entriesAdded;
    if (toLast > 0) return undefined;
    const { firstId } = this;
    const whole = isZero(this.maxDeletedId) || compareIds(this.maxDeletedId, firstId) < 0;
    const toFirst = compareIds(id, firstId);
    if (!whole || toFirst > 0) return undefined;
    return sum(this.entriesAdded, toFirst < 0 ? -this.#length : 1 - this.#length);
  }

  /** The last block that begins at or below the id, or the first block. */
  #blockOf(id: StreamId): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (compareIds((this.#blocks[middle] as StreamBlock).firstId, id) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #placeIn(at: number, id: StreamId): number {
    return (this.#blocks[at] as StreamBlock).placeOf(id);
  }
}
