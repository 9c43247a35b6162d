/**
 * An index of items by their tags, in both directions.
 *
 * Promises: a change of an item's tags is one atomic script over both directions and the counts, so a tag never leads to
 * an item that does not have it; an item that expires or is removed leaves every tag, a tag without items is gone, and an
 * index in which everything has expired is gone; a walk through `find` meets each item that matches all the time exactly
 * once. While the server is away, calls wait for it until their deadline and then reject; every change may be repeated, and is.
 */
import type { Core } from "../core/core.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { type Duration, givenOptions, parseOptions, type OptionNames, toMs } from "../base/options.ts";
import type { ChangeResult } from "./scripts.gen.ts";
import { type TagsOptions, tagsSettings, type TagsSettings } from "./options.ts";
import { checkTag, checkTags, MAX_TAGS, searchOf, type TagsPageOptions, type TagsQuery, unpack } from "./query.ts";
import { TagStore } from "./store.ts";

export interface TagsAddOptions {
  /** For this item instead of the index's `ttl`. */
  readonly ttl?: Duration;
}

/**
 * `ok`: the tags that the item has now, sorted. `limit`: nothing was changed, because the index would have more than
 * `maxItems` items or the item more than 128 tags.
 */
export type TagsChangeResult =
  | { readonly status: "ok"; readonly tags: string[] }
  | { readonly status: "limit"; readonly limit: "items" | "tags" };

export interface TagsPage {
  /** In the order of their bytes. */
  readonly items: string[];
  /** Where the next page begins; undefined when this was the last. */
  readonly cursor: string | undefined;
}

const WALK_NAMES: OptionNames<TagsQuery> = { any: true, all: true, not: true };
const ADD_NAMES: OptionNames<TagsAddOptions> = { ttl: true };

/**
 * @example
 * const airports = hf.tags("airports");
 * await airports.set("SFO", ["us", "west", "hub"]);
 * for await (const airport of airports.items({ all: ["hub"], any: ["us", "uk"] })) console.log(airport);
 */
export class Tags {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: TagsSettings;
  readonly #store: TagStore;

  constructor(core: Core, name: string, options?: TagsOptions) {
    this.name = name;
    this.#operations = new Operations("tags", name);
    const keys = core.keys.group("tags", name);
    this.#settings = tagsSettings(name, options);
    this.#store = new TagStore(core.driver, keys, name, this.#settings);
  }

  /**
   * Adds these tags to the item's, starts its time to live again, and returns all its tags. Idempotent.
   * Cost: one script, O(tags · log n); changes made in the same tick share it.
   */
  add(item: Id, tags: Iterable<string>, options?: TagsAddOptions): Promise<TagsChangeResult> {
    return this.#operations.run("add", item, () => this.#change(item, "add", tags, options));
  }

  /** Sets the item's tags to these and no others, and starts its time to live again. Idempotent. Cost: as `add`. */
  set(item: Id, tags: Iterable<string>, options?: TagsAddOptions): Promise<TagsChangeResult> {
    return this.#operations.run("set", item, () => this.#change(item, "set", tags, options));
  }

  /** Removes these tags from the item, or all of them without `tags`; returns those it still has. Idempotent. Cost: as `add`. */
  remove(item: Id, tags?: Iterable<string>): Promise<string[]> {
    return this.#operations.run("remove", item, async () => {
      const left = await (tags === undefined
        ? this.#change(item, "set", [], undefined)
        : this.#change(item, "remove", tags, undefined));
      return left.status === "ok" ? left.tags : [];
    });
  }

  /** Returns the item's tags, sorted; none if it is not there. Cost: one script; reads made in the same tick share it. */
  of(item: Id): Promise<string[]> {
    return this.#operations.run("of", item, async () => unpack((await this.#store.of(checkId("item", item))) ?? ""));
  }

  /**
   * Returns items with all of `all`, at least one of `any` and none of `not`.
   *
   * A page is one bounded step: it may have fewer items than `limit`, or none, while its `cursor` says that there are more.
   * Cost: one script, which looks at up to about 2,000 pairs of item and tag: those of the rarest tag of `all`, else those of `any`.
   */
  find(query: TagsQuery & TagsPageOptions): Promise<TagsPage> {
    return this.#operations.run("find", undefined, async () => {
      const { items, cursor } = await this.#store.find(searchOf(query));
      return { items, cursor: cursor ?? undefined };
    });
  }

  /** Iterates over all items of a query, fetched page by page. Cost: one `find` per page. */
  async *items(query: TagsQuery): AsyncGenerator<string> {
    const walked = parseOptions(this.#operations.where, query, WALK_NAMES, (given) => given);
    let cursor: string | undefined;
    do {
      const page = await this.find({ ...walked, limit: 1_000, ...(cursor && { cursor }) });
      yield* page.items;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /**
   * Returns how many items have the tag. If many items expired since the last change, those beyond the first 1000 may still be counted.
   * Cost: one script; counts made in the same tick share it.
   */
  count(tag: string): Promise<number> {
    return this.#operations.run("count", tag, () => this.#store.count(checkTag("tag", tag)));
  }

  /** Returns how many items each tag has; not of one consistent moment. Cost: one HSCAN and two scripts per about 500 tags. */
  counts(): Promise<Map<string, number>> {
    return this.#operations.run("counts", undefined, async () => {
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
    return this.#operations.run("clear", undefined, () => this.#store.clear());
  }

  async #change(
    item: Id,
    how: "add" | "set" | "remove",
    tags: Iterable<string>,
    options: TagsAddOptions | undefined,
  ): Promise<TagsChangeResult> {
    const { ttl } = givenOptions(options, ADD_NAMES);
    const ttlMs = ttl === undefined ? this.#settings.ttlMs : toMs("ttl", ttl);
    const checked = checkTags("tags", tags, MAX_TAGS);
    return resultOf(await this.#store.change(checkId("item", item), how, checked, ttlMs));
  }
}

function resultOf(answer: ChangeResult): TagsChangeResult {
  if (answer.status === "ok") return { status: "ok", tags: unpack(answer.packed) };
  return { status: "limit", limit: answer.limit === "items" ? "items" : "tags" };
}
