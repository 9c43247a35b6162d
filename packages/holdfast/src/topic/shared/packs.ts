/** The messages behind claimed offsets: the packs that they are in, each of them read once for all claims that it takes to use it up. */
import type { LogFeed } from "../../core/log/feed.ts";
import type { LogPack } from "../../core/log/pack.ts";

/** Each is 64 KB at most, unless one message is more. */
const MAX_KEPT = 16;
const MAX_READ = 64;

export class PackReader {
  readonly #feed: LogFeed;
  /** Read lately, the newest last. */
  #kept: LogPack[] = [];
  /** Messages in a pack, as it was lately. */
  #size = 8;

  constructor(feed: LogFeed) {
    this.#feed = feed;
  }

  /** The packs with these offsets that are there, rising. */
  async read(epoch: number, from: number, to: number): Promise<LogPack[]> {
    const found: LogPack[] = [];
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
    const packs = await this.#feed.packs(from, Math.min(Math.ceil((to - from + 1) / this.#size), MAX_READ));
    const [first, last] = [packs[0], packs.at(-1)];
    if (first === undefined || last === undefined) return packs;
    this.#size = Math.max(1, (last.last - first.first + 1) / packs.length);
    this.#kept = [...this.#kept, ...packs].slice(-MAX_KEPT);
    return packs;
  }
}
