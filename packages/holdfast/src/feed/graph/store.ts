/** The server's side of who follows whom. An author's followers are in buckets of about 50, which grow in number one by one. */
import { createHash } from "node:crypto";
import { decodeFloat, decodeList, decodeText, type Part } from "../../core/script/decode.ts";
import { runScript } from "../../core/script/run.ts";
import { follow, type FollowResult, join, leave, mode, recount, split } from "../scripts.gen.ts";
import { type Command, type FeedStore, placesOf } from "../store.ts";

/** How entries come to the followers: `join` is on the way from `pull` to `push`, and does both. */
export type FeedMode = "push" | "pull" | "join";

/** Followers, and the bucket behind them. */
export type Followers = readonly [next: number, followers: string[]];

export interface Audience {
  readonly buckets: number;
  readonly count: number;
}

/**
 * In the mean; those that are not split yet have up to twice as many, and 128 is what a listpack has by default: about one in a thousand
 * has more.
 */
const BUCKET_SIZE = 48;
/** Buckets of one pipeline: about 400 followers. */
const BUCKETS_READ = 8;
/** While others add buckets. */
const MAX_ATTEMPTS = 20;

export class GraphStore {
  readonly #store: FeedStore;

  constructor(store: FeedStore) {
    this.#store = store;
  }

  /** Makes entries of `author` come to `reader`; undefined where the author may have no more followers. */
  async join(author: string, reader: string): Promise<number | undefined> {
    const { maxFollowers: most } = this.#store.settings;
    const call = this.#store.unclassed("follow", author);
    let { buckets } = await this.audience(author);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const keys = this.#keys(author, bucketOf(reader, buckets));
      const answer = await runScript(this.#store.driver, join, keys, { follower: reader, buckets, most }, call);
      if (answer.status === "limit") return undefined;
      if (answer.status === "ok") {
        for (let now = buckets; answer.count > now * BUCKET_SIZE;) now = await this.#split(author, now);
        return answer.count;
      }
      ({ buckets } = answer);
    }
    return this.join(author, reader);
  }

  async leave(author: string, reader: string): Promise<void> {
    const call = this.#store.unclassed("unfollow", author);
    let { buckets } = await this.audience(author);
    for (;;) {
      const keys = this.#keys(author, bucketOf(reader, buckets));
      const answer = await runScript(this.#store.driver, leave, keys, { follower: reader, buckets }, call);
      if (answer.status === "ok") return;
      ({ buckets } = answer);
    }
  }

  async audience(author: string): Promise<Audience> {
    const key = this.#store.part(author, "followers");
    const call = this.#store.call("follow", "read", author);
    const reply = await this.#store.driver.send(["HMGET", key, "n", "c"], call, key);
    const [n, c] = decodeList(reply, (part) => (part === null ? undefined : Number(decodeText(part))));
    return { buckets: n ?? 1, count: c ?? 0 };
  }

  /**
   * Yields all followers, about 400 at a time, each with the bucket behind it, where it can be gone on with. Who is moved to a
   * new bucket meanwhile is met there, again or for the first time.
   * @param known how many buckets there were, a moment ago
   */
  async *followers(author: string, from = 0, known = 1): AsyncGenerator<Followers> {
    let buckets = Math.max(known, from + 1);
    const { followers: hash } = this.#keys(author, 0);
    for (let next = from; next < buckets;) {
      const end = Math.min(next + BUCKETS_READ, buckets);
      const commands: Command[] = [];
      for (let bucket = next; bucket < end; bucket += 1)
        commands.push(["ZRANGE", this.#keys(author, bucket).bucket, "0", "-1"]);
      commands.push(["HGET", hash, "n"]);
      const replies = await this.#store.inSlot(commands, this.#store.call("publish", "read", author));
      const now = replies.pop()!;
      buckets = Math.max(buckets, now === null ? 1 : Number(decodeText(now)));
      next = end;
      yield [next, replies.flatMap((reply) => decodeList(reply, decodeText))];
    }
  }

  /** @param known before they were counted */
  async recount(author: string, { count: before, buckets }: Audience, count: number): Promise<void> {
    const { followers } = this.#keys(author, 0);
    const call = this.#store.unclassed("publish", author);
    await runScript(this.#store.driver, recount, { followers }, { before, count, buckets }, call);
  }

  /** False where it is not as it was. @param since, at us */
  async mode(author: string, before: FeedMode, since: number, after: FeedMode, at: number): Promise<boolean> {
    const { followers } = this.#keys(author, 0);
    const call = this.#store.unclassed("publish", author);
    return (
      (await runScript(this.#store.driver, mode, { followers }, { before, since, after, at }, call)).status === "ok"
    );
  }

  async modeOf(author: string): Promise<FeedMode> {
    const { followers } = this.#keys(author, 0);
    const reply = await this.#store.driver.send(
      ["HGET", followers, "m"],
      this.#store.call("publish", "read"),
      followers,
    );
    return reply === null ? "push" : (decodeText(reply) as FeedMode);
  }

  follow(reader: string, author: string, from: number): Promise<FollowResult> {
    const keys = { following: this.#store.part(reader, "following") };
    const args = { author, from, most: this.#store.settings.maxFollowing };
    return runScript(this.#store.driver, follow, keys, args, this.#store.unclassed("follow", reader));
  }

  async unfollow(reader: string, author: string): Promise<boolean> {
    const key = this.#store.part(reader, "following");
    const call = this.#store.call("unfollow", "idempotent", reader);
    return Number(await this.#store.driver.send(["ZREM", key, author], call, key)) > 0;
  }

  /** Whom a reader follows, with the time (us) from which on entries are shown. */
  async following(reader: string): Promise<Map<string, number>> {
    const key = this.#store.part(reader, "following");
    const call = this.#store.call("page", "read", reader);
    const reply = await this.#store.driver.send(["ZRANGE", key, "0", "-1", "WITHSCORES"], call, key);
    return new Map(placesOf(reply, call).map(({ id, score }) => [id, score]));
  }

  /** Those of the authors whom a reader follows. */
  async followed(reader: string, authors: readonly string[]): Promise<Map<string, number>> {
    if (authors.length === 0) return new Map();
    const key = this.#store.part(reader, "following");
    const call = this.#store.call("page", "read", reader);
    const reply = await this.#store.driver.send(["ZMSCORE", key, ...authors], call, key);
    const scores = decodeList(reply, scoreOrNone);
    return new Map(authors.flatMap((author, at) => (scores[at] === undefined ? [] : [[author, scores[at]]])));
  }

  /** Returns how many buckets there are then. */
  #split(author: string, buckets: number): Promise<number> {
    const modulus = 2 ** Math.floor(Math.log2(buckets));
    const { followers, bucket: source } = this.#keys(author, buckets - modulus);
    const keys = { followers, source, target: this.#keys(author, buckets).bucket };
    return runScript(this.#store.driver, split, keys, { buckets, modulus }, this.#store.unclassed("follow", author));
  }

  #keys(author: string, bucket: number): { readonly followers: string; readonly bucket: string } {
    return {
      followers: this.#store.part(author, "followers"),
      bucket: this.#store.part(author, `followers:${bucket}`),
    };
  }
}

/** As split.lua has it. */
function bucketOf(follower: string, buckets: number): number {
  const hash = createHash("sha1").update(follower).digest().readUInt32BE();
  const modulus = 2 ** Math.floor(Math.log2(buckets));
  const wide = hash % (2 * modulus);
  return wide < buckets ? wide : hash % modulus;
}

function scoreOrNone(part: Part): number | undefined {
  return part === null ? undefined : decodeFloat(part);
}
