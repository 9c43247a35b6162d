/** The messages behind claimed offsets: the packs that they are in, each of them read once for all claims that it takes to use it up. */
import type { LogFeed } from "../../core/log/feed.ts";
import type { LogPack, LogPoint } from "../../core/log/pack.ts";

/** Each is 64 KB at most, unless one message is more. */
const MAX_KEPT = 16;
const MAX_READ = 64;

/** Of all partitions of one subscription together. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** What the readers of one subscription keep: where it is too much, those that have not read for the longest keep nothing. */
export class KeptPacks {
  /** The one that has read last is the last. */
  readonly #readers = new Map<PackReader, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  note(reader: PackReader, bytes: number): void {
    this.#bytes += bytes - (this.#readers.get(reader) ?? 0);
    this.#readers.delete(reader);
    if (bytes > 0) this.#readers.set(reader, bytes);
    for (const [other, its] of this.#readers) {
      if (this.#bytes <= MAX_KEPT_BYTES) return;
      this.#readers.delete(other);
      this.#bytes -= its;
      other.drop();
    }
  }
}

export class PackReader {
  readonly #feed: LogFeed;
  readonly #all: KeptPacks;
  /** Read lately, the newest last. */
  #kept: LogPack[] = [];
  /** Of the feed, when they were read. */
  #doubts = -1;
  /** Messages in a pack, as it was lately. */
  #size = 8;

  constructor(feed: LogFeed, all: KeptPacks) {
    this.#feed = feed;
    this.#all = all;
  }

  /** They are read again where they are asked for. */
  drop(): void {
    this.#kept = [];
  }

  /** The newest message that was read and may be read again; undefined where there is none. */
  get newest(): LogPoint | undefined {
    if (this.#doubts !== this.#feed.doubts) return undefined;
    const [newest] = this.#kept.toSorted((a, b) => b.last - a.last);
    return newest?.point(newest.last);
  }

  /** The packs with these offsets that are there, rising. */
  async read(epoch: number, from: number, to: number): Promise<LogPack[]> {
    const found: LogPack[] = [];
    if (this.#doubts !== this.#feed.doubts) this.#kept = [];
    for (let next = from; next <= to;) {
      const kept = this.#kept.find((pack) => pack.epoch === epoch && pack.first <= next && pack.last >= next);
      const packs = kept === undefined ? await this.#more(next, to) : [kept];
      for (const pack of packs) {
        if (pack.epoch !== epoch || pack.first > to) return found;
        if (pack.last >= next) found.push(pack);
        next = Math.max(next, pack.last + 1);
      }
      if (packs.length === 0) return found;
    }
    return found;
  }

  /** About as many as it takes. */
  async #more(from: number, to: number): Promise<readonly LogPack[]> {
    const { doubts } = this.#feed;
    const packs = await this.#feed.packs(from, Math.min(Math.ceil((to - from + 1) / this.#size), MAX_READ));
    const [first, last] = [packs[0], packs.at(-1)];
    if (first === undefined || last === undefined) return packs;
    this.#size = Math.max(1, (last.last - first.first + 1) / packs.length);
    this.#kept = [...(this.#doubts === doubts ? this.#kept : []), ...packs].slice(-MAX_KEPT);
    this.#doubts = doubts;
    this.#all.note(
      this,
      this.#kept.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
    return packs;
  }
}
