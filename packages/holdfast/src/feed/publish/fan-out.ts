/**
 * From an outbox to the inboxes of those who follow. Few followers get it at once; more by a job, in steps of about 400 which can be gone on
 * with; of an author with very many it is pulled as feeds are read. Between the two lies a gap, so that an author at the border does not go
 * to and fro, and a time in which both are done, so that no reader misses an entry. An entry that is pushed twice is there once.
 */
import { headOf, type ItemHead, type Place } from "../entry.ts";
import type { Audience, FeedMode, GraphStore } from "../graph/store.ts";
import type { OutboxResult } from "../scripts.gen.ts";
import { FeedStore, INBOX_SIZE, placesOf } from "../store.ts";
import type { FeedChunks, FeedJob, FeedQueue } from "./port.ts";
import { GRACE_US, type PulledAuthors } from "./pulled.ts";

/** Of `push`: with fewer followers than this part of it, an author's entries are pushed again. */
const LOWER = 0.8;
/** When a way back to pushing has not ended after this time, it is begun again. */
const JOIN_AGAIN_US = 10 * 60 * 1_000_000;

const atOnce: FeedChunks = async (source, each) => {
  for await (const [, item] of source(undefined)) await each(item);
};

export class FanOut {
  readonly #store: FeedStore;
  readonly #graph: GraphStore;
  readonly #pulled: PulledAuthors;
  readonly #queue: FeedQueue;

  constructor(store: FeedStore, graph: GraphStore, pulled: PulledAuthors, queue: FeedQueue) {
    this.#store = store;
    this.#graph = graph;
    this.#pulled = pulled;
    this.#queue = queue;
  }

  /** Brings an entry that is in the outbox to the followers, or has it brought. */
  async begin(id: string, { author, score }: ItemHead, audience: OutboxResult): Promise<void> {
    if (!(await this.#decide(author, audience))) return;
    if (audience.count > this.#store.settings.direct) await this.#queue.add({ publish: id }, id);
    else await this.#push({ id, score }, author, audience, atOnce);
  }

  /** @param chunks by which it goes on where an earlier run was */
  async run(job: FeedJob, chunks: FeedChunks): Promise<void> {
    if ("join" in job) return this.#join(job.join, job.since, chunks);
    const bytes = await this.#store.item(job.publish);
    if (bytes === undefined) return;
    const { author, score } = headOf(bytes);
    await this.#push({ id: job.publish, score }, author, await this.#graph.audience(author), chunks);
  }

  async #push(place: Place, author: string, known: Audience, chunks: FeedChunks): Promise<void> {
    let found = 0;
    let isWhole = false;
    const source = (after = 0): ReturnType<GraphStore["followers"]> => {
      isWhole = after === 0;
      return this.#graph.followers(author, after, known.buckets);
    };
    await chunks(source, async (followers) => {
      found += followers.length;
      await this.#store.push(followers, [place]);
    });
    if (isWhole && found !== known.count) await this.#graph.recount(author, known, found);
  }

  /** Whether the entry is pushed. */
  async #decide(author: string, { count, mode, since }: OutboxResult): Promise<boolean> {
    const { push } = this.#store.settings;
    const now = Math.floor((await this.#store.now("publish")) * 1_000);
    if (mode === "pull") {
      // Once more each time: the list may have been lost.
      await this.#pulled.add(author);
      if (count > push * LOWER) return now - since < GRACE_US;
      if (await this.#graph.mode(author, "pull", since, "join", now)) await this.#beginJoin(author, now, count);
      return true;
    }
    if (count > push) {
      if (await this.#pulled.add(author)) await this.#graph.mode(author, mode as FeedMode, since, "pull", now);
    } else if (mode === "join" && now - since > JOIN_AGAIN_US) await this.#beginJoin(author, since, count);
    return true;
  }

  async #beginJoin(author: string, since: number, count: number): Promise<void> {
    if (count > this.#store.settings.direct) await this.#queue.add({ join: author, since }, `join:${since}`);
    else await this.#join(author, since, atOnce);
  }

  /** All that an inbox can hold of the author; what is published meanwhile is pushed as well. */
  async #join(author: string, since: number, chunks: FeedChunks): Promise<void> {
    const command = FeedStore.below(this.#store.part(author, "outbox"), undefined, 0, INBOX_SIZE);
    const call = this.#store.call("publish", "read", author);
    const newest = placesOf(await this.#store.driver.send(command, call, command[1]), call);
    if (newest.length > 0)
      await chunks(
        (after) => this.#graph.followers(author, after),
        (followers) => this.#store.push(followers, newest),
      );
    if (!(await this.#graph.mode(author, "join", since, "push", since))) return;
    await this.#pulled.remove(author);
    // It may have become one again in between.
    if ((await this.#graph.modeOf(author)) !== "push") await this.#pulled.add(author);
  }
}
