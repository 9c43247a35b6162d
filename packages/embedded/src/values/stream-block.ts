/**
 * A run of stream entries. Redis keeps the same runs as listpacks in a radix tree, begins a new one by number of entries and by
 * bytes, and lets `MAXLEN ~` take whole ones only; so a block counts what its listpack would weigh, deleted entries included.
 */
import { EMPTY_LISTPACK, integerSize, stringSize } from "./listpack-size.ts";
import { compareIds, type StreamId, type Uint64 } from "./stream-id.ts";

export interface StreamEntry {
  readonly id: StreamId;
  /** Field and value in turn. */
  readonly fields: readonly string[];
}

/** `stream-node-max-entries` and `stream-node-max-bytes`; 0 is no limit. */
export interface BlockLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** Redis's own limit of a listpack, and of the fields and values of one entry together. */
export const MAX_BYTES: number = 2 ** 30;

/** A small integer in a listpack: flags, a count, the mark after the first fields. */
const SMALL = 2;

export class StreamBlock {
  /** The id of the first entry there ever was: the key in Redis's radix tree. */
  readonly firstId: StreamId;
  /** The id of the last entry there ever was, deleted or not. */
  lastId: StreamId;
  readonly entries: StreamEntry[] = [];
  #deleted = 0;
  /** Entries that have the same fields as the first are stored without field names. */
  readonly #fieldNames: readonly string[];
  #bytes: number;

  constructor({ id, fields }: StreamEntry) {
    this.firstId = id;
    this.lastId = id;
    this.#fieldNames = fields.filter((_, i) => i % 2 === 0);
    this.#bytes = EMPTY_LISTPACK + integerSize(this.#fieldNames.length) + SMALL;
    for (const name of this.#fieldNames) this.#bytes += stringSize(name);
  }

  /** @param contentLength the length of the entry's fields and values together */
  hasRoom(limits: BlockLimits, contentLength: number): boolean {
    const maxBytes = limits.bytes === 0 ? MAX_BYTES : Math.min(limits.bytes, MAX_BYTES);
    const counts = integerSize(this.entries.length) + integerSize(this.#deleted);
    if (this.#bytes + counts + contentLength >= maxBytes) return false;
    return limits.entries === 0 || this.entries.length + this.#deleted < limits.entries;
  }

  append(entry: StreamEntry): void {
    this.entries.push(entry);
    this.lastId = entry.id;
    this.#bytes += this.#sizeOf(entry);
  }

  /** True when the entry was there. */
  delete(id: StreamId): boolean {
    const place = this.placeOf(id);
    const entry = this.entries[place];
    if (entry === undefined || compareIds(entry.id, id) !== 0) return false;
    this.entries.splice(place, 1);
    this.#deleted += 1;
    return true;
  }

  deleteFirst(count: number): void {
    this.entries.splice(0, count);
    this.#deleted += count;
  }

  /** The place of the first entry whose id is not below this one. */
  placeOf(id: StreamId): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareIds((this.entries[middle] as StreamEntry).id, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  copy(): StreamBlock {
    const copy = new StreamBlock({ id: this.firstId, fields: this.#fieldNames.flatMap((name) => [name, ""]) });
    // Not spread: how many there are is a setting of the user.
    for (const entry of this.entries) copy.entries.push(entry);
    copy.lastId = this.lastId;
    copy.#deleted = this.#deleted;
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** Flags, the id's distance from the first id, the fields, and the number of these elements. */
  #sizeOf({ id, fields }: StreamEntry): number {
    const pairs = fields.length / 2;
    const sameFields = pairs === this.#fieldNames.length && this.#fieldNames.every((name, i) => name === fields[i * 2]);
    let bytes = SMALL + distanceSize(id.ms, this.firstId.ms) + distanceSize(id.seq, this.firstId.seq);
    for (let i = sameFields ? 1 : 0; i < fields.length; i += sameFields ? 2 : 1)
      bytes += stringSize(fields[i] as string);
    if (sameFields) return bytes + integerSize(pairs + 3);
    return bytes + integerSize(pairs) + integerSize(2 * pairs + 4);
  }
}

function distanceSize(value: Uint64, from: Uint64): number {
  if (typeof value === "number" && typeof from === "number") return integerSize(value - from);
  return integerSize(Number(BigInt.asIntN(64, BigInt(value) - BigInt(from))));
}
