/**
 * A reader's new entries as they are published. What is published is said on one channel of the feed; each of those who listen picks what is
 * for its reader, and reads that. What may have been missed is looked for in the feed itself.
 */
import { Follower, type Followed, type FollowHome } from "../../core/wait/follower.ts";
import type { GraphStore } from "../graph/store.ts";
import type { FeedEntry, Hydrator } from "../read/hydrate.ts";
import { Marks } from "../read/marks.ts";
import type { Pages } from "../read/page.ts";
import type { FeedStore } from "../store.ts";
import { compare, type Place, placeOf } from "../entry.ts";
import { readMessage } from "./message.ts";

/** So long nothing is looked for, whatever messages come. */
const BELIEVED_MS = 30_000;
/** Between the time that an entry has, by its publisher's notion of the server's clock, and when it is there. */
const LATE_US = 60 * 1_000_000;
/** What has been said and not read yet; beyond it the feed is looked at instead. */
const MAX_PENDING = 256;
/** Entries that are not given twice. */
const REMEMBERED = 1_024;
const LOOKED_AT = 128;

export interface LiveParts<T> {
  readonly store: FeedStore;
  readonly graph: GraphStore;
  readonly pages: Pages<T>;
  readonly hydrator: Hydrator<T>;
  readonly timeoutMs: number;
}

/** How a reader's entries are followed; `Follower` does the waiting. */
export class LiveEntries<T> implements Followed<FeedEntry<T> | undefined, FeedEntry<T>> {
  readonly op = "feed.live";
  readonly key: string;
  readonly channel: string;
  readonly timeoutMs: number;
  readonly #parts: LiveParts<T>;
  readonly #after: Place | undefined;
  #begun: Promise<void> | undefined;
  #following: Map<string, number> | undefined;
  #pending: string[] = [];
  #isToLook = true;
  /** By the process's clock. */
  #lookedAt = 0;
  readonly #ready: FeedEntry<T>[] = [];
  readonly #given = new Set<string>();
  /** Nothing before it is looked for, us. */
  #start = 0;
  /** The newest that was given, us. */
  #newest = 0;

  constructor(parts: LiveParts<T>, reader: string, after: Place | undefined) {
    this.#parts = parts;
    this.key = reader;
    this.channel = parts.store.channel;
    this.timeoutMs = parts.timeoutMs;
    this.#after = after;
    // Whoever reads gets what it fails with.
    this.begin().catch(() => undefined);
  }

  /** What is published once it resolves is given. */
  begin(): Promise<void> {
    this.#begun ??= this.#begin().catch((error: unknown) => {
      this.#begun = undefined;
      throw error;
    });
    return this.#begun;
  }

  /** Whether a message is about this reader. */
  hears(payload: Buffer): boolean {
    const message = readMessage(payload);
    if (message === undefined) return false;
    const { author } = message;
    if ("reader" in message) {
      if (message.reader !== this.key) return false;
      this.#isToLook = true;
      return true;
    }
    // Before it is known who is followed, all is looked for anyway.
    const isOurs = message.to.includes(this.key) || (message.followed && this.#following?.has(author) === true);
    if (!isOurs) return false;
    if (this.#pending.length < MAX_PENDING) this.#pending.push(message.id);
    else this.#isToLook = true;
    return true;
  }

  missed(): void {
    this.#isToLook = true;
  }

  async read(): Promise<FeedEntry<T> | undefined> {
    if (this.#ready.length === 0) await this.#fill();
    return this.#ready.shift();
  }

  lastsMs(): number {
    return this.#ready.length > 0 || this.#pending.length > 0 || this.#isToLook ? 0 : BELIEVED_MS;
  }

  known(entry: FeedEntry<T> | undefined): FeedEntry<T> | undefined {
    return entry;
  }

  unknown(): undefined {
    this.#isToLook = true;
    return undefined;
  }

  /** What there is already is not new, whatever its time. */
  async #begin(): Promise<void> {
    if (this.#after !== undefined) return this.#beginAfter(this.#after);
    const now = Math.floor((await this.#parts.store.now("live")) * 1_000);
    for (const { id } of await this.#parts.pages.since(this.key, now - LATE_US, LOOKED_AT)) this.#given.add(id);
    this.#start = now - LATE_US;
    this.#newest = now;
  }

  /** What came before the place was seen, also where the message about it arrives only now. */
  async #beginAfter(after: Place): Promise<void> {
    for (const { id, position } of await this.#parts.pages.since(this.key, after.score - LATE_US, LOOKED_AT))
      if (compare(placeOf("position", position), after) >= 0) this.#given.add(id);
    this.#start = after.score - 1;
    this.#newest = after.score;
  }

  async #fill(): Promise<void> {
    await this.begin();
    // It was woken without a message, or by one too many, or looked long ago: some may be missing.
    const isLongAgo = this.#now() - this.#lookedAt >= BELIEVED_MS;
    if (this.#isToLook || isLongAgo || this.#pending.length === 0) return this.#look();
    const ids = this.#pending;
    this.#pending = [];
    const items = await Promise.all(ids.map((id) => this.#parts.hydrator.item(id)));
    const places = items.flatMap((item) => (item === undefined ? [] : [{ id: item.id, score: item.score }]));
    const entries = await this.#parts.hydrator.entries(this.key, places, new Marks([]));
    this.#add(entries.flatMap((each) => (typeof each === "string" ? [] : [each.entry])));
  }

  async #look(): Promise<void> {
    this.#isToLook = false;
    const { store, graph } = this.#parts;
    const lookedAt = this.#now();
    try {
      this.#following = await graph.following(this.key);
      // One that is ahead of its time says nothing of those that are not.
      const now = Math.floor((await store.now("live")) * 1_000);
      const from = Math.max(this.#start, Math.min(this.#newest, now) - LATE_US);
      this.#add(await this.#parts.pages.since(this.key, from, LOOKED_AT));
      this.#lookedAt = lookedAt;
    } catch (error) {
      this.#isToLook = true;
      throw error;
    }
  }

  #now(): number {
    return this.#parts.store.driver.runtime.now();
  }

  #add(entries: readonly FeedEntry<T>[]): void {
    for (const entry of entries) {
      // What is found again stays among those that are remembered.
      const isGiven = this.#given.delete(entry.id);
      this.#given.add(entry.id);
      if (isGiven) continue;
      if (this.#given.size > REMEMBERED) this.#given.delete(this.#given.values().next().value!);
      this.#newest = Math.max(this.#newest, entry.at * 1_000);
      this.#ready.push(entry);
    }
  }
}

export class LiveFeed<T> extends Follower<FeedEntry<T> | undefined, FeedEntry<T>> {
  readonly #entries: LiveEntries<T>;

  constructor(home: FollowHome, entries: LiveEntries<T>, signal: AbortSignal | undefined) {
    super(home, entries, signal);
    this.#entries = entries;
  }

  get ready(): Promise<void> {
    return this.#entries.begin();
  }
}
