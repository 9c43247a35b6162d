/**
 * Publishing: the activity first, which is the truth, then the outbox, then whoever is to see it. Each step can be repeated without effect; what
 * a process that died has begun, another that uses the feed ends.
 */
import { InvalidArgumentError, isOutage } from "../../base/errors.ts";
import { givenOptions, listOf, type OptionNames, timeOf } from "../../base/options.ts";
import type { Core } from "../../core/core.ts";
import { checkId, checkText, type Id } from "../../core/keyspace/keyspace.ts";
import { Reports } from "../../core/observe/reports.ts";
import type { Driver } from "../../driver/port.ts";
import { encodeItem, groupMember, headOf, idFor, isErased, type ItemHead, randomId, scoreOf } from "../entry.ts";
import { messageOf } from "../live/message.ts";
import type { FeedSettings } from "../options.ts";
import type { FeedStore } from "../store.ts";
import type { FanOut } from "./fan-out.ts";

export interface FeedPublishOptions {
  /** The caller's name for it: what was published by this author under the same id, and the same `at` if it has one, is not published again. @default a random one */
  readonly id?: string;
  /** When it happened, at most a day ahead: where it stands in feeds. @default the server's time now */
  readonly at?: Date | number;
  /** Named feeds that it goes to, whether or not they follow the author: a group's, a user's notifications. At most 100. @default none */
  readonly to?: Iterable<Id>;
  /** Whether it goes to the author's outbox and followers; `false`: only `to`. @default true */
  readonly followers?: boolean;
}

/** `duplicate`: it was there already, and is as it was. `deleted`: it was deleted. */
export interface FeedPublishResult {
  readonly status: "ok" | "duplicate" | "deleted";
  /** Its name in this feed, 16 characters. */
  readonly id: string;
}

const PUBLISH_NAMES: OptionNames<FeedPublishOptions> = { id: true, at: true, to: true, followers: true };
const MAX_TO = 100;
const MAX_GROUP = 512;
const MAX_AHEAD_MS = 86_400_000;
const MIN_DUE_MS = 30_000;
/** What of others is looked for, now and then. */
const LOOK_MS = 30_000;
const LOOKED_AT_ONCE = 16;

/** Of each handle: the last microsecond that was given to an entry. */
const lastScores = new WeakMap<Driver, number>();
/** Of each handle, by feed: when to look again. */
const looks = new WeakMap<Core, Map<string, number>>();

export class Publisher<T> {
  readonly #store: FeedStore;
  readonly #settings: FeedSettings<T>;
  readonly #fanOut: FanOut;
  readonly #reports: Reports<never, never>;

  constructor(store: FeedStore, settings: FeedSettings<T>, fanOut: FanOut, where: string) {
    this.#store = store;
    this.#settings = settings;
    this.#fanOut = fanOut;
    this.#reports = new Reports(`${where}: unfinished publications`, "HOLDFAST_FEED", { onError: undefined });
  }

  async publish(author: string, activity: T, options: FeedPublishOptions | undefined): Promise<FeedPublishResult> {
    const { id: own, at, to = [], followers = true } = givenOptions(options, PUBLISH_NAMES);
    if (typeof followers !== "boolean") throw new InvalidArgumentError("followers", "true or false", followers);
    const names = [...new Set(listOf("to", to, "names of feeds").map((name) => checkId("to", name)))];
    if (names.length > MAX_TO) throw new InvalidArgumentError("to", `at most ${MAX_TO} names`, to);
    if (!followers && names.length === 0) throw new InvalidArgumentError("to", "names, as it goes to no followers", to);
    const given = at === undefined ? undefined : timeOf("at", at);
    const now = await this.#store.now("publish");
    if (given !== undefined && given > now + MAX_AHEAD_MS)
      throw new InvalidArgumentError("at", "a time at most a day ahead", at);
    const { runtime } = this.#store.driver;
    const id =
      own === undefined ? randomId(runtime.randomBytes(12)) : idFor(author, checkText("id", own, 1_024), given);
    const score = given === undefined ? this.#nextScore(now) : scoreOf(given);
    const group = this.#groupOf(activity, author, given ?? Math.floor(now));
    const head: ItemHead = { author, score, group, to: names, isFollowed: followers };
    const call = own === undefined ? undefined : runtime.randomBytes(6).toString("base64url");
    const bytes = encodeItem(head, id, activity, this.#settings.codec, call);
    const { timeoutMs = this.#store.driver.timeoutMs } = this.#settings;
    // First: what is stored and not noted would be ended by nobody.
    const isNew = await this.#store.begin(id, now + Math.max(MIN_DUE_MS, 3 * timeoutMs));
    const answer = await this.#store.post(id, bytes);
    // Its own may have been sent again after its answer was lost.
    const isOwn = answer.status === "ok" || (answer.status === "known" && answer.bytes.equals(bytes));
    if (answer.status === "known" && !(isOwn || isNew)) await this.#complete(id, headOf(answer.bytes));
    else if (isOwn) await this.#complete(id, head);
    else await this.#store.end(id);
    if (answer.status === "deleted") return { status: "deleted", id };
    this.notice();
    return { status: isOwn ? "ok" : "duplicate", id };
  }

  async delete(id: string): Promise<boolean> {
    const bytes = await this.#store.itemOrErased(id);
    if (bytes === undefined) return false;
    const { author, to, group, isFollowed } = headOf(bytes);
    await this.#store.erase(id);
    // Also of one that was erased: whoever did that may not have come to the end.
    if (isFollowed) {
      const outbox = this.#store.part(author, "outbox");
      await this.#store.driver.send(["ZREM", outbox, id], this.#store.call("delete", "idempotent", author), outbox);
    }
    if (to.length > 0) await this.#store.fromNamed(to, id, group === undefined ? id : groupMember(group));
    return !isErased(bytes);
  }

  /** Called as the feed is used: looks now and then for what others have begun, and returns before that is done. */
  notice(): void {
    const { core, name } = this.#store;
    const { runtime } = core.driver;
    let ofHandle = looks.get(core);
    if (ofHandle === undefined) looks.set(core, (ofHandle = new Map()));
    const now = runtime.now();
    if (now < (ofHandle.get(name) ?? 0) || core.isClosing) return;
    ofHandle.set(name, now + LOOK_MS * (0.5 + runtime.random()));
    void this.#endOthers();
  }

  async #endOthers(): Promise<void> {
    try {
      for (;;) {
        const due = await this.#store.due(LOOKED_AT_ONCE, 2 * MIN_DUE_MS);
        for (const id of due) await this.#endOther(id);
        if (due.length < LOOKED_AT_ONCE || this.#store.core.isClosing) return;
      }
    } catch (error) {
      // They come again when their time is over.
      this.#report(error);
    }
  }

  /** One that fails by itself, such as one that cannot be read, holds up no other. */
  async #endOther(id: string): Promise<void> {
    const bytes = await this.#store.item(id);
    if (bytes === undefined) return this.#store.end(id);
    try {
      await this.#complete(id, headOf(bytes));
    } catch (error) {
      if (isOutage(error)) throw error;
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    if (!isOutage(error) && !this.#store.core.isClosing) this.#reports.error(error);
  }

  async #complete(id: string, head: ItemHead): Promise<void> {
    const { author, score, to, group, isFollowed } = head;
    const place = { id, score };
    if (isFollowed) await this.#fanOut.begin(id, head, await this.#store.record(author, id, score));
    if (to.length > 0) await this.#store.toNamed(to, place, group === undefined ? id : groupMember(group));
    await this.#store.tell(messageOf({ author, id, followed: isFollowed, to }));
    // Another would do it once more, to no effect.
    this.#store.end(id).catch(() => undefined);
  }

  #groupOf(activity: T, author: string, at: number): string | undefined {
    const day = new Date(at).toISOString().slice(0, 10);
    const group = this.#settings.group?.({ activity, author, at, day });
    return group === undefined ? undefined : checkText("group", group, MAX_GROUP);
  }

  /** So that what one process publishes is in its order, also within a millisecond. */
  #nextScore(now: number): number {
    const { driver } = this.#store;
    const score = Math.max(Math.floor(now * 1_000), (lastScores.get(driver) ?? 0) + 1);
    lastScores.set(driver, score);
    return score;
  }
}
