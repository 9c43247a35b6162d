/**
 * What is trending: every process counts what is read, and any of them shows the articles that are read most now, with their different
 * readers. A reader's reloads within an hour count once; an article that was read much yesterday fades.
 */
import type { Holdfast } from "holdfast";

export interface Trend {
  readonly article: string;
  /** Weighted: a view of three hours ago counts half. */
  readonly heat: number;
  /** Different readers of the last seven days. */
  readonly readers: number;
  /** Whether `readers` is no estimate. */
  readonly exact: boolean;
}

export class Trending {
  readonly #views;
  readonly #readers;
  readonly #seen;

  constructor(hf: Holdfast) {
    this.#views = hf.topk("article-views", { k: 10, window: "1h", keep: 48 });
    this.#readers = hf.uniques("article-readers", { window: "1d", keep: 30 });
    this.#seen = hf.bloom("article-seen", { capacity: 1_000_000, errorRate: 0.001, ttl: "1h" });
  }

  /** Counts a view, unless it is a reload; answers whether it did. */
  async viewed(article: string, reader: string): Promise<boolean> {
    const { status } = await this.#seen.add(`${article} ${reader}`);
    if (status === "duplicate") return false;
    // A full filter says nothing of reloads: better some views too many than none.
    await Promise.all([this.#views.add(article), this.#readers.add(article, reader)]);
    return true;
  }

  async now(limit = 10): Promise<Trend[]> {
    const hottest = await this.#views.list({ last: 24, halfLife: "3h", limit });
    const readers = await this.#readers.countMany(
      hottest.map(({ member }) => member),
      { last: 7 },
    );
    return hottest.map(({ member, count }) => {
      const { count: different, exact } = readers.get(member)!;
      return { article: member, heat: Math.round(count), readers: different, exact };
    });
  }
}
