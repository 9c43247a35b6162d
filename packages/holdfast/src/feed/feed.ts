/**
 * Activity feeds: what authors publish, in the feeds of those who follow them, and in feeds by name; pages, groups, what is new.
 *
 * Promises: an activity that `publish` has answered is in the author's outbox and in the feed of everybody who follows the author, and in the feeds
 * that were named, each once, until it expires, is deleted, or more came after it than these keep; also where the process died in between. What
 * was deleted is not shown again, and what is not followed any more is not shown. Pages go on where the one before ended, whatever is published
 * meanwhile. An inbox is a copy: whoever lost it, or was away, has it put together again from the outboxes.
 *
 * While the server is away, calls wait for it until their deadline and then reject; a publication that was rejected may come later, so publish it
 * again under the same `id`.
 */
import { givenOptions, listOf, type OptionNames, timeOf, wholeBetween } from "../base/options.ts";
import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import { checkId, checkText, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { Reports } from "../core/observe/reports.ts";
import { atOf, idFor, placeOf } from "./entry.ts";
import {
  type FeedFollowers,
  type FeedFollowOptions,
  type FeedFollowResult,
  followersPage,
  Graph,
} from "./graph/graph.ts";
import { GraphStore } from "./graph/store.ts";
import { LiveEntries, LiveFeed } from "./live/live.ts";
import { type FeedOptions, feedSettings, type FeedSettings } from "./options.ts";
import { FanOut } from "./publish/fan-out.ts";
import type { FeedQueue, FeedWorker } from "./publish/port.ts";
import { type FeedPublishOptions, type FeedPublishResult, Publisher } from "./publish/publisher.ts";
import { PulledAuthors } from "./publish/pulled.ts";
import { type FeedEntry, Hydrator } from "./read/hydrate.ts";
import { type FeedPage, type FeedPageOptions, type FeedReadOptions, Pages } from "./read/page.ts";
import { FeedStore } from "./store.ts";

/** An activity by its id. */
export interface FeedActivity<T> {
  readonly id: string;
  readonly author: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly activity: T;
}

/** New entries, for `for await`; ends without an error at `break`, `close()`, the signal, or the end of the handle. */
export interface FeedLive<T> extends AsyncIterableIterator<FeedEntry<T>, undefined, undefined>, AsyncDisposable {
  /** Resolves once all that is published after it is seen. */
  readonly ready: Promise<void>;
  /** Idempotent; never rejects. */
  close(): Promise<void>;
}

export interface FeedLiveOptions {
  /** Entries after this `position` come first, the newest 128 of them. @default from now on */
  readonly after?: string;
  /** Ends it. @default none */
  readonly signal?: AbortSignal;
}

export interface FeedFollowersOptions {
  /** Of the page before. @default from the start */
  readonly cursor?: string;
}

export interface FeedUnseen {
  /** Up to 100. */
  readonly count: number;
  /** There are more. */
  readonly more: boolean;
}

export interface FeedWorkOptions {
  /** Publications that are pushed at once, 1 to 100. @default 4 */
  readonly concurrency?: number;
}

const LIVE_NAMES: OptionNames<FeedLiveOptions> = { after: true, signal: true };
const FOLLOWERS_NAMES: OptionNames<FeedFollowersOptions> = { cursor: true };
const WORK_NAMES: OptionNames<FeedWorkOptions> = { concurrency: true };
const MAX_UNSEEN = 100;
const MAX_MARKED = 100;
const ID = /^[\w-]{16}$/;

/**
 * @example
 * const home = hf.feed<Post>("home");
 * await home.follow("bob", "ada");
 * await home.publish("ada", { text: "Hello" }, { id: "post:42" });
 * const { entries, cursor } = await home.page("bob");
 */
export class Feed<T> {
  readonly name: string;
  readonly #core: Core;
  readonly #operations: Operations;
  readonly #settings: FeedSettings<T>;
  readonly #store: FeedStore;
  readonly #graphStore: GraphStore;
  readonly #graph: Graph;
  readonly #fanOut: FanOut;
  readonly #publisher: Publisher<T>;
  readonly #hydrator: Hydrator<T>;
  readonly #pages: Pages<T>;
  readonly #queue: FeedQueue;

  constructor(core: Core, queue: FeedQueue, name: string, options?: FeedOptions<T>) {
    this.name = name;
    this.#core = core;
    this.#queue = queue;
    this.#operations = new Operations("feed", name);
    const { where } = this.#operations;
    this.#settings = feedSettings(core, where, options);
    const store = new FeedStore(core, name, this.#settings as FeedSettings<unknown>);
    const graph = new GraphStore(store);
    const pulled = PulledAuthors.of(store);
    this.#store = store;
    this.#graphStore = graph;
    this.#graph = new Graph(store, graph, where);
    this.#fanOut = new FanOut(store, graph, pulled, queue);
    this.#publisher = new Publisher(store, this.#settings, this.#fanOut, where);
    this.#hydrator = new Hydrator(
      store,
      this.#settings.codec,
      new Reports(where, "HOLDFAST_FEED", { onError: undefined }),
    );
    this.#pages = new Pages({ store, graph, pulled }, this.#graph, this.#hydrator);
  }

  /**
   * Publishes an activity to the author's followers, and to the feeds that `to` names. With an `id` it may be repeated: it is there once.
   * Cost: two scripts, four commands; per active follower PTTL, ZADD and ZREMRANGEBYRANK in pipelines per node, up to `direct` of them before it
   * resolves, else by a worker; per name three commands, or a script where it is in a group.
   * @throws CodecError when the activity does not match the schema or cannot be encoded
   */
  publish(author: Id, activity: T, options?: FeedPublishOptions): Promise<FeedPublishResult> {
    return this.#operations.run("publish", author, async () =>
      this.#publisher.publish(checkId("author", author), activity, options),
    );
  }

  /** Returns the id under which this author's activity with this id, and this `at` if it was given, is in the feed. No I/O. */
  idOf(author: Id, id: string, at?: Date | number): string {
    try {
      return idFor(
        checkId("author", author),
        checkText("id", id, 1_024),
        at === undefined ? undefined : timeOf("at", at),
      );
    } catch (error) {
      throw this.#operations.refused("idOf", author, error);
    }
  }

  /** Returns an activity, or undefined if it has expired or was deleted. Cost: GET; calls of the same tick and slot share an MGET. */
  get(id: string): Promise<FeedActivity<T> | undefined> {
    return this.#operations.run("get", id, async () => {
      const item = await this.#hydrator.item(checkActivity(id));
      if (item === undefined) return undefined;
      const { author, activity } = item;
      return { id, author, at: atOf(item), activity };
    });
  }

  /** Deletes an activity from all feeds; false if there is none. It cannot be published again under its id. Cost: GET, a script, ZREM per outbox and name. */
  delete(id: string): Promise<boolean> {
    return this.#operations.run("delete", id, async () => this.#publisher.delete(checkActivity(id)));
  }

  /**
   * Lets a reader follow an author. Idempotent.
   * Cost: three scripts and four commands; with a `backfill`, as a push to one follower.
   */
  follow(reader: Id, author: Id, options?: FeedFollowOptions): Promise<FeedFollowResult> {
    return this.#operations.run("follow", reader, async () =>
      this.#graph.follow(checkId("reader", reader), checkId("author", author), options),
    );
  }

  /** Ends that; the author's entries are not shown from then on. False if there was nothing to end. Cost: two scripts and six commands. */
  unfollow(reader: Id, author: Id): Promise<boolean> {
    return this.#operations.run("unfollow", reader, async () =>
      this.#graph.unfollow(checkId("reader", reader), checkId("author", author)),
    );
  }

  /** Returns whom a reader follows. Cost: ZRANGE of all of them. */
  following(reader: Id): Promise<string[]> {
    return this.#operations.run("following", reader, async () => [
      ...(await this.#graphStore.following(checkId("reader", reader))).keys(),
    ]);
  }

  /** Returns about 400 followers of an author, in no order. Cost: two HMGET and eight ZRANGE. */
  followers(author: Id, options?: FeedFollowersOptions): Promise<FeedFollowers> {
    return this.#operations.run("followers", author, async () =>
      followersPage(this.#graphStore, checkId("author", author), givenOptions(options, FOLLOWERS_NAMES).cursor),
    );
  }

  /** Returns how many follow an author. Cost: HMGET. */
  followerCount(author: Id): Promise<number> {
    return this.#operations.run(
      "followerCount",
      author,
      async () => (await this.#graphStore.audience(checkId("author", author))).count,
    );
  }

  /**
   * Returns a page of a reader's feed, or of a named one, the newest first. It is read as a reader's: from then on entries are pushed to it.
   * Cost: five commands in one pipeline, one ZRANGE for what came by name and for each pulled author, GETs of the entries, ZMSCORE; below the newest 111, one ZRANGE for each
   * author who is followed, in pipelines per node; a reader who comes back, two scripts more.
   */
  page(reader: Id, options?: FeedReadOptions): Promise<FeedPage<T>> {
    this.#publisher.notice();
    return this.#operations.run("page", reader, async () => this.#pages.page(checkId("reader", reader), options));
  }

  /** Returns a page of what an author has published. Cost: ZRANGE and GETs of the entries. */
  outbox(author: Id, options?: FeedPageOptions): Promise<FeedPage<T>> {
    return this.#operations.run("outbox", author, async () => this.#pages.outbox(checkId("author", author), options));
  }

  /** Returns how many entries are newer than what the reader has seen; a group counts as one. Cost: as `page`, without the entries. */
  unseen(reader: Id): Promise<FeedUnseen> {
    return this.#operations.run("unseen", reader, async () => {
      const found = await this.#pages.unseen(checkId("reader", reader), MAX_UNSEEN + 1);
      return { count: Math.min(found, MAX_UNSEEN), more: found > MAX_UNSEEN };
    });
  }

  /** Marks all as seen up to an entry's `position`; without one, all that there is now, which is looked for as by `unseen`. It never goes back. Cost: one script. */
  markSeen(reader: Id, position?: string): Promise<void> {
    return this.#operations.run("markSeen", reader, async () => {
      const named = checkId("reader", reader);
      const score = position === undefined ? await this.#newest(named) : placeOf("position", position).score;
      await this.#store.mark(named, score, 0, []);
    });
  }

  /**
   * Marks entries as read, by their positions, at most 100; without them, all that there is now. Of more than 126 marks the oldest become a limit: all
   * older entries count as read. Cost: one script.
   */
  markRead(reader: Id, positions?: Iterable<string>): Promise<void> {
    return this.#operations.run("markRead", reader, async () => {
      const named = checkId("reader", reader);
      if (positions === undefined) return this.#store.mark(named, 0, await this.#newest(named), []);
      const places = listOf("positions", positions, "positions of entries").map((each) => placeOf("positions", each));
      if (places.length > MAX_MARKED) throw new InvalidArgumentError("positions", `at most ${MAX_MARKED}`, positions);
      if (places.length > 0) await this.#store.mark(named, 0, 0, places);
    });
  }

  /**
   * Returns the entries of a reader's feed as they are published, each once, for `for await`. Must be iterated or closed.
   * Cost: one SUBSCRIBE per handle and feed; per entry a GET; a look at the newest entries at the start, after a lost connection, and each half minute.
   */
  live(reader: Id, options?: FeedLiveOptions): FeedLive<T> {
    try {
      const { after, signal } = givenOptions(options, LIVE_NAMES);
      const { timeoutMs = this.#core.driver.timeoutMs } = this.#settings;
      const parts = {
        store: this.#store,
        graph: this.#graphStore,
        pages: this.#pages,
        hydrator: this.#hydrator,
        timeoutMs,
      };
      const place = after === undefined ? undefined : placeOf("after", after);
      return new LiveFeed(this.#core, new LiveEntries(parts, checkId("reader", reader), place), checkSignal(signal));
    } catch (error) {
      throw this.#operations.refused("live", reader, error);
    }
  }

  /**
   * Pushes what is published by authors with more than `direct` followers, in this process, until the worker, or the handle, is closed. Jobs are
   * those of `hf.queue("feed:<name>")`. Cost: as `queue.work`; per active follower PTTL, ZADD and ZREMRANGEBYRANK.
   */
  work(options?: FeedWorkOptions): FeedWorker {
    try {
      const { concurrency = 4 } = givenOptions(options, WORK_NAMES);
      const most = wholeBetween("concurrency", concurrency, 1, 100);
      return this.#queue.work((job, chunks) => this.#fanOut.run(job, chunks), most);
    } catch (error) {
      throw this.#operations.refused("work", undefined, error);
    }
  }

  /** The time (us) of the newest entry; of those that are ahead, now. */
  async #newest(reader: string): Promise<number> {
    const now = Math.floor((await this.#store.now("markSeen")) * 1_000);
    return Math.min(await this.#pages.newest(reader), now);
  }
}

function checkActivity(id: string): string {
  if (typeof id === "string" && ID.test(id)) return id;
  throw new InvalidArgumentError("id", "the id of an activity, as publish and idOf return it", id);
}
