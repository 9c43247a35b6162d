/**
 * Feeds against sorted sets by hand, on tuned node-redis: an entry for 5,000 followers, all of them active, and for 20; and a page of one reader
 * who follows 20 authors. By hand: the followers of a set, then ZADD and ZREMRANGEBYRANK for each, in one pipeline; no check who is active, nothing that
 * goes on after a crash, and as many entries of ids as ours have.
 */
import { randomBytes } from "node:crypto";
import { connect } from "holdfast";
import { tunedNodeRedis } from "./clients.ts";
import { type Contender, sideBySide, type Suite } from "./suite.ts";

const MANY = 5_000;
const FEW = 20;
const ENTRIES = 111;
const LIMIT = 20;

interface Post {
  readonly text: string;
}

const post: Post = { text: "x".repeat(100) };
const readerOf = (at: number): string => `reader:${at}`;

export const feedSuite: Suite = {
  contenders: {
    "feed.publish to 5,000": publishing(MANY),
    "by hand, to 5,000": byHand(MANY),
    "feed.publish to 20": publishing(FEW),
    "by hand, to 20": byHand(FEW),
    "feed.page": paging,
    "by hand, page": pagingByHand,
  },
  cases: [
    ...sideBySide("fan-out to 5,000", [1], ["feed.publish to 5,000"], ["by hand, to 5,000"]),
    ...sideBySide("fan-out to 20", [1, 20], ["feed.publish to 20"], ["by hand, to 20"]),
    ...sideBySide("page of 20", [1, 50], ["feed.page"], ["by hand, page"]),
  ],
};

function publishing(followers: number): Contender {
  return async ({ url }) => {
    const feed = (await connect(url)).feed<Post>(`bench${followers}`, { direct: 5_000 });
    for (let at = 0; at < followers; at += 100)
      await Promise.all(
        Array.from({ length: Math.min(100, followers) }, async (_, more) => {
          await feed.follow(readerOf(at + more), "author");
          await feed.page(readerOf(at + more), { limit: 1 });
        }),
      );
    return () => feed.publish("author", post);
  };
}

function byHand(followers: number): Contender {
  return async (target) => {
    const client = await tunedNodeRedis(target);
    const set = `followers:${followers}`;
    const all = Array.from({ length: followers }, (_, at) => readerOf(at));
    await client.sendCommand(["SADD", set, ...all]);
    return async () => {
      const [id, now] = [randomBytes(12).toString("base64url"), String(Date.now() * 1_000)];
      await client.sendCommand(["SET", `post:${id}`, JSON.stringify(post), "EX", "2592000"]);
      const readers = (await client.sendCommand(["SMEMBERS", set])) as unknown as (string | Buffer)[];
      await Promise.all(
        readers.flatMap((reader) => [
          client.sendCommand(["ZADD", `inbox:${reader.toString()}`, now, id]),
          client.sendCommand(["ZREMRANGEBYRANK", `inbox:${reader.toString()}`, "0", String(-ENTRIES - 1)]),
        ]),
      );
    };
  };
}

async function paging(...[{ url }]: Parameters<Contender>): ReturnType<Contender> {
  const feed = (await connect(url)).feed<Post>("pages");
  for (let author = 0; author < FEW; author += 1) await feed.follow("reader", author);
  for (let at = 0; at < ENTRIES; at += 1) await feed.publish(at % FEW, post);
  return () => feed.page("reader", { limit: LIMIT });
}

async function pagingByHand(...[target]: Parameters<Contender>): ReturnType<Contender> {
  const client = await tunedNodeRedis(target);
  for (let at = 0; at < ENTRIES; at += 1) {
    const id = randomBytes(12).toString("base64url");
    await client.sendCommand(["SET", `post:${id}`, JSON.stringify(post)]);
    await client.sendCommand(["ZADD", "inbox:reader", String(Date.now() * 1_000 + at), id]);
  }
  return async () => {
    const ids = (await client.sendCommand(["ZRANGE", "inbox:reader", "0", String(LIMIT - 1), "REV"])) as unknown as (
      | string
      | Buffer
    )[];
    const posts = (await client.sendCommand(["MGET", ...ids.map((id) => `post:${id.toString()}`)])) as unknown as (
      | string
      | Buffer
    )[];
    return posts.map((each) => JSON.parse(each.toString()) as Post);
  };
}
