/**
 * An index of items by their tags, in both directions.
 *
 * What it promises: a change of an item's tags is one atomic script over both directions and the counts, so a tag never
 * leads to an item that has not got it; an item that ends or is removed leaves every tag, a tag without items is gone, and an
 * index in which everything has ended is gone; a walk through `find` meets each item that fits all the time exactly
 * once. While the server is away calls wait for it until their deadline and then reject; each change may be repeated and is.
 */
import type { Core } from "../core/core.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { observed } from "../core/observe/observe.ts";
import { type Duration, toMs } from "../base/options.ts";
import type { ChangeResult } from "./scripts.gen.ts";
import { type TagsOptions, tagsSettings, type TagsSettings } from "./options.ts";
import { checkTag, checkTags, MAX_TAGS, searchOf, type TagPageOptions, type TagQuery, unpack } from "./query.ts";
import { TagStore } from "./store.ts";

export interface TagOptions {
  /** For this item instead of the index's `ttl`. */
  readonly ttl?: Duration;
}

/**
 * `tagged`: the tags that the item has now, sorted. `full`: nothing was changed, because the index would have more than
 * `maxItems` items or the item more than 128 tags.
 */
export type Tagged =
  | { readonly status: "tagged"; readonly tags: string[] }
  | { readonly status: "full"; readonly limit: "items" | "tags" };

export interface TagPage {
  /** In the order of their bytes. */
  readonly items: string[];
  /** Where the next page begins; undefined when this was the last. */
  readonly cursor: string | undefined;
}

export class Tags {
  readonly name: string;
  readonly #settings: TagsSettings;
  readonly #store: TagStore;

  constructor(core: Core, name: string, options: TagsOptions = {}) {
    this.name = name;
    this.#settings = tagsSettings(options);
    this.#store = new TagStore(core, name, this.#settings);
  }

  /**
   * Gives the item these tags besides those it has, and begins its time to live anew. Idempotent.
   * Cost: one script, O(tags · log n); the changes of one turn of the event loop share it.
   */
  add(item: Id, tags: Iterable<string>, options: TagOptions = {}): Promise<Tagged> {
    return observed("tags.add", item, () => this.#change(item, "add", tags, options));
  }

  /** Gives the item these tags and no others, and begins its time to live anew. Idempotent. Cost: as `add`. */
  set(item: Id, tags: Iterable<string>, options: TagOptions = {}): Promise<Tagged> {
    return observed("tags.set", item, () => this.#change(item, "set", tags, options));
  }

  /** Takes these tags from the item, or without `tags` all; gives those that it still has. Idempotent. Cost: as `add`. */
  remove(item: Id, tags?: Iterable<string>): Promise<string[]> {
    return observed("tags.remove", item, async () => {
      const left = await (tags === undefined
        ? this.#change(item, "set", [], {})
        : this.#change(item, "remove", tags, {}));
      return left.status === "tagged" ? left.tags : [];
    });
  }

  /** The tags of the item, sorted; none when it is not there. Cost: one script, shared by those of one turn of the event loop. */
  of(item: Id): Promise<string[]> {
    return observed("tags.of", item, async () => unpack((await this.#store.of(checkId("item", item))) ?? ""));
  }

  /**
   * Items with all of `all`, at least one of `any` and none of `not`.
   *
   * A page is one bounded step: it may have fewer items than `limit`, or none, while its `cursor` says that there are more.
   * Cost: one script, which looks at up to some 20,000 pairs of item and tag: those of the rarest tag of `all`, else those of `any`.
   */
  find(query: TagQuery & TagPageOptions): Promise<TagPage> {
    return observed("tags.find", undefined, async () => {
      const { items, cursor } = await this.#store.find(searchOf(query));
      return { items, cursor: cursor ?? undefined };
    });
  }

  /** All items of a query, page by page as they are asked for. Cost: one `find` per page. */
  async *items(query: TagQuery): AsyncGenerator<string> {
    let cursor: string | undefined;
    do {
      const page = await this.find({ ...query, limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
      yield* page.items;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /**
   * How many items have the tag. When many items ended since the last change, those beyond the first 1000 may still be counted.
   * Cost: one script, shared by those of one turn of the event loop.
   */
  count(tag: string): Promise<number> {
    return observed("tags.count", tag, async () => this.#store.count(checkTag("tag", tag)));
  }

  /** How many items each tag has; not of one moment. Cost: one HSCAN and two scripts per some 500 tags. */
  counts(): Promise<Map<string, number>> {
    return observed("tags.counts", undefined, async () => {
      const counts = new Map<string, number>();
      for await (const tags of this.#store.tagNames()) {
        const found = await Promise.all(tags.map((tag) => this.#store.count(tag)));
        for (const [at, count] of found.entries()) if (count > 0) counts.set(tags[at]!, count);
      }
      return counts;
    });
  }

  /** Removes every item at once. Idempotent. Cost: UNLINK. */
  clear(): Promise<void> {
    return observed("tags.clear", undefined, () => this.#store.clear());
  }

  async #change(item: Id, how: "add" | "set" | "remove", tags: Iterable<string>, { ttl }: TagOptions): Promise<Tagged> {
    const ttlMs = ttl === undefined ? this.#settings.ttlMs : toMs("ttl", ttl);
    const checked = checkTags("tags", tags, MAX_TAGS);
    return told(await this.#store.change(checkId("item", item), how, checked, ttlMs));
  }
}

function told(answer: ChangeResult): Tagged {
  if (answer.status === "tagged") return { status: "tagged", tags: unpack(answer.packed) };
  return { status: "full", limit: answer.limit === "items" ? "items" : "tags" };
}
