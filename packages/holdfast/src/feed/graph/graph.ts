/**
 * Who follows whom: the reader's list, which is the truth, and the author's, which entries are pushed by. They are in different slots, so
 * the author's is written first and ended last: whoever is only in that gets entries that are not shown, and is taken out as they are met.
 */
import { InvalidArgumentError, isOutage } from "../../base/errors.ts";
import { givenOptions, type OptionNames, wholeBetween } from "../../base/options.ts";
import { inChunks } from "../../core/batch/in-chunks.ts";
import { Reports } from "../../core/observe/reports.ts";
import { decodeList } from "../../core/script/decode.ts";
import type { Place } from "../entry.ts";
import { messageOf } from "../live/message.ts";
import { FeedStore, INBOX_SIZE, placesOf } from "../store.ts";
import type { GraphStore } from "./store.ts";

export interface FeedFollowOptions {
  /** How many of the author's newest entries are shown of those that were there before, 0 to 1,000. @default 100 */
  readonly backfill?: number;
}

/** `duplicate`: was followed before. `limit`: the reader follows as many as may be, or the author has as many followers; nothing was changed. */
export interface FeedFollowResult {
  readonly status: "ok" | "duplicate" | "limit";
}

const FOLLOW_NAMES: OptionNames<FeedFollowOptions> = { backfill: true };
const MAX_BACKFILL = 1_000;

export class Graph {
  readonly #store: FeedStore;
  readonly #graph: GraphStore;
  readonly #reports: Reports<never, never>;

  constructor(store: FeedStore, graph: GraphStore, where: string) {
    this.#store = store;
    this.#graph = graph;
    this.#reports = new Reports(`${where}: followers`, "HOLDFAST_FEED", { onError: undefined });
  }

  async follow(reader: string, author: string, options: FeedFollowOptions | undefined): Promise<FeedFollowResult> {
    const { backfill = 100 } = givenOptions(options, FOLLOW_NAMES);
    const wanted = wholeBetween("backfill", backfill, 0, MAX_BACKFILL);
    // From here on what is published is pushed: what was before is in the outbox when that is read.
    if ((await this.#graph.join(author, reader)) === undefined) return { status: "limit" };
    const newest = await this.#newest(author, Math.max(wanted, INBOX_SIZE));
    const now = Math.floor((await this.#store.now("follow")) * 1_000);
    // By what is there, and not by this process's notion of the time: what is published from now on is shown.
    const oldest = wanted === 0 ? (newest[0]?.score ?? 0) + 1 : (newest[wanted - 1]?.score ?? 1);
    const from = Math.min(oldest, now);
    const answer = await this.#graph.follow(reader, author, from);
    if (answer.status === "limit") {
      await this.#graph.leave(author, reader);
      return { status: "limit" };
    }
    // Once more: an unfollow at the same time may have taken it out in between.
    await this.#graph.join(author, reader);
    await this.#fill(reader, newest, answer.status === "known" ? answer.from : from);
    await this.#store.tell(messageOf({ reader, author, follows: true }));
    return { status: answer.status === "known" ? "duplicate" : "ok" };
  }

  async unfollow(reader: string, author: string): Promise<boolean> {
    const did = await this.#graph.unfollow(reader, author);
    await this.#sweep(reader, author);
    await this.leave(reader, author);
    await this.#store.tell(messageOf({ reader, author, follows: false }));
    return did;
  }

  /** Ends the pushes of one who is not followed. A follow at the same time has the last word, and what was swept meanwhile comes back. */
  async leave(reader: string, author: string): Promise<void> {
    await this.#graph.leave(author, reader);
    const from = (await this.#graph.followed(reader, [author])).get(author);
    if (from === undefined) return;
    await this.#graph.join(author, reader);
    await this.#fill(reader, await this.#newest(author, INBOX_SIZE), from);
  }

  /** Writes a reader into all lists that it is to be in: some may have lost it. Never rejects: tomorrow it is done again. */
  async heal(reader: string): Promise<void> {
    try {
      const authors = [...(await this.#graph.following(reader)).keys()];
      const join = (chunk: readonly string[]) => Promise.all(chunk.map((author) => this.#graph.join(author, reader)));
      await inChunks(authors, join, { size: 64, parallel: 1 });
    } catch (error) {
      if (!isOutage(error) && !this.#store.core.isClosing) this.#reports.error(error);
    }
  }

  async #fill(reader: string, newest: readonly Place[], from: number): Promise<void> {
    const shown = newest.filter(({ score }) => score >= from).slice(0, INBOX_SIZE);
    if (shown.length > 0) await this.#store.push([reader], shown);
  }

  /** What is left of the author in the inbox, of that which is in the outbox; the rest is left out as it is met. */
  async #sweep(reader: string, author: string): Promise<void> {
    const inbox = this.#store.part(reader, "inbox");
    const outbox = this.#store.part(author, "outbox");
    const call = this.#store.call("unfollow", "read", reader);
    const reply = await this.#store.driver.send(["ZRANGE", inbox, "0", "-2", "WITHSCORES"], call, inbox);
    const ids = placesOf(reply, call).map(({ id }) => id);
    if (ids.length === 0) return;
    const found = decodeList(await this.#store.driver.send(["ZMSCORE", outbox, ...ids], call, outbox), (part) => part);
    const gone = ids.filter((_, at) => found[at] !== null);
    if (gone.length > 0) await this.#store.sweep(reader, gone);
  }

  async #newest(author: string, most: number): Promise<Place[]> {
    const command = FeedStore.below(this.#store.part(author, "outbox"), undefined, 0, most);
    const call = this.#store.call("follow", "read", author);
    return placesOf(await this.#store.driver.send(command, call, command[1]), call);
  }
}

/** A page of an author's followers: buckets, so its length is not exact. */
export interface FeedFollowers {
  /** In no order. */
  readonly followers: string[];
  /** Of the next page; undefined on the last one. */
  readonly cursor: string | undefined;
}

export async function followersPage(
  graph: GraphStore,
  author: string,
  cursor: string | undefined,
): Promise<FeedFollowers> {
  if (cursor !== undefined && (typeof cursor !== "string" || !/^\d{1,9}$/.test(cursor)))
    throw new InvalidArgumentError("cursor", "the cursor of a page", cursor);
  for await (const [next, followers] of graph.followers(author, Number(cursor ?? 0))) {
    const { buckets } = await graph.audience(author);
    return { followers, cursor: next < buckets ? String(next) : undefined };
  }
  return { followers: [], cursor: undefined };
}
