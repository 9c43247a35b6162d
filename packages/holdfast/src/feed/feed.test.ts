/**
 * What could go wrong, and the test for each:
 * - an entry is missing in a feed, or there twice ............. "entries of those who are followed", "a repeat"
 * - what is published at the same time is out of order ........ "in the order of publication"
 * - pages skip or repeat while things are published ........... "pages go on"
 * - entries below the inbox are lost .......................... "beyond the inbox"
 * - a great many entries with one timestamp stop a page ....... "of the same moment"
 * - follow shows nothing, or more than asked .................. "backfill"
 * - what is unfollowed or deleted is shown .................... "unfollow", "deleted"
 * - a reader who was away misses something .................... "comes back"
 * - the inbox is larger than a listpack ....................... "is a listpack"
 * - named feeds, groups and counts are wrong .................. "by name", "a group", "grouped on a page"
 * - what was seen or read comes back .......................... "seen", "read"
 * - bad input is sent ......................................... "refused"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { CodecError } from "../base/errors.ts";
import type { Feed } from "./feed.ts";
import type { FeedEntry, FeedReadOptions } from "../index.ts";

interface Post {
  readonly n: number;
}

const numbers = (entries: readonly FeedEntry<Post>[]): number[] => entries.map(({ activity }) => activity.n);

async function all(feed: Feed<Post>, reader: string, options: FeedReadOptions = {}): Promise<FeedEntry<Post>[]> {
  const found: FeedEntry<Post>[] = [];
  let cursor: string | undefined;
  do {
    const page = await feed.page(reader, cursor === undefined ? options : { ...options, cursor });
    found.push(...page.entries);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return found;
}

const DAY = 86_400_000;

describe.each(backends())("feeds [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const open = (options = {}): Feed<Post> => handles.a.feed<Post>(randomName(), options);

  it("entries of those who are followed, in the order of publication, with what is known of them", async () => {
    const feed = open();
    const other = handles.b.feed<Post>(feed.name);
    await Promise.all(["ada", "bob"].map((author) => feed.follow("eve", author)));
    const results = [];
    for (const n of [1, 2, 3]) results.push(await feed.publish(n === 2 ? "bob" : "ada", { n }));
    await feed.publish("cid", { n: 4 });
    const { entries, cursor } = await other.page("eve");
    expect(numbers(entries)).toEqual([3, 2, 1]);
    expect(cursor).toBeUndefined();
    expect(entries[0]).toMatchObject({ id: results[2]!.id, author: "ada", seen: false, read: false, group: undefined });
    expect(entries[0]!.at).toBeGreaterThan(1e12);
    expect(await other.get(results[1]!.id)).toMatchObject({ author: "bob", activity: { n: 2 } });
    expect(numbers((await other.outbox("ada")).entries)).toEqual([3, 1]);
    expect((await other.following("eve")).toSorted()).toEqual(["ada", "bob"]);
    expect(await other.followers("ada")).toEqual({ followers: ["eve"], cursor: undefined });
    expect(await other.followerCount("ada")).toBe(1);
  });

  it("what one process publishes at once is in its order", async () => {
    const feed = open();
    await feed.follow("eve", "ada");
    await feed.page("eve");
    await Promise.all(Array.from({ length: 30 }, (_, n) => feed.publish("ada", { n })));
    expect(numbers(await all(feed, "eve"))).toEqual(Array.from({ length: 30 }, (_, n) => 29 - n));
  });

  it("a repeat under one id is there once, as it was; with another time it is another one", async () => {
    const feed = open();
    await feed.follow("eve", "ada");
    const first = await feed.publish("ada", { n: 1 }, { id: "x" });
    expect(first).toEqual({ status: "ok", id: feed.idOf("ada", "x") });
    expect(await feed.publish("ada", { n: 2 }, { id: "x" })).toEqual({ status: "duplicate", id: first.id });
    const at = Date.now() - 1_000;
    expect(await feed.publish("ada", { n: 3 }, { id: "x", at })).toMatchObject({ status: "ok" });
    const same = handles.b.feed<Post>(feed.name);
    expect(await same.publish("ada", { n: 3 }, { id: "x", at })).toMatchObject({ status: "duplicate" });
    expect(await feed.publish("bob", { n: 4 }, { id: "x" })).toMatchObject({ status: "ok" });
    expect(numbers(await all(feed, "eve"))).toEqual([1, 3]);
    expect(feed.idOf("ada", "x", new Date(at))).toBe((await all(feed, "eve"))[1]!.id);
  });

  it("pages go on where the one before ended, whatever is published meanwhile", async () => {
    const feed = open();
    await feed.follow("eve", "ada");
    for (let n = 0; n < 10; n += 1) await feed.publish("ada", { n });
    const first = await feed.page("eve", { limit: 4 });
    await feed.publish("ada", { n: 10 });
    const second = await feed.page("eve", { limit: 4, cursor: first.cursor! });
    const third = await feed.page("eve", { limit: 4, cursor: second.entries[1]!.position });
    expect([first, second, third].map(({ entries }) => numbers(entries))).toEqual([
      [9, 8, 7, 6],
      [5, 4, 3, 2],
      [3, 2, 1, 0],
    ]);
    expect(third.cursor).toBeUndefined();
  });

  it("backfill: so many of the entries that were there before, on every page", async () => {
    const feed = open();
    for (let n = 0; n < 5; n += 1) await feed.publish("ada", { n });
    for (const [reader, backfill] of [
      ["none", 0],
      ["two", 2],
      ["all", 1_000],
    ] as const)
      expect(await feed.follow(reader, "ada", { backfill })).toEqual({ status: "ok" });
    await feed.publish("ada", { n: 5 });
    expect(numbers(await all(feed, "none"))).toEqual([5]);
    expect(numbers(await all(feed, "two"))).toEqual([5, 4, 3]);
    expect(numbers(await all(feed, "all"))).toEqual([5, 4, 3, 2, 1, 0]);
    expect(await feed.follow("two", "ada", { backfill: 1_000 })).toEqual({ status: "duplicate" });
    expect(numbers(await all(feed, "two"))).toEqual([5, 4, 3]);
  });

  it("backfill of an author whose newest entries are ahead: what comes before them is shown", async () => {
    const feed = open();
    await feed.publish("ada", { n: 0 }, { at: Date.now() + DAY / 2 });
    for (const backfill of [0, 1]) await feed.follow(`r${backfill}`, "ada", { backfill });
    await feed.publish("ada", { n: 1 });
    for (const reader of ["r0", "r1"]) expect(numbers(await all(feed, reader))).toEqual([0, 1]);
  });

  it("an entry that comes late and belongs before what is shown of its author is not new once a page has met it", async () => {
    const feed = open();
    await feed.publish("ada", { n: 0 });
    await feed.follow("eve", "ada", { backfill: 0 });
    await feed.page("eve");
    await feed.publish("ada", { n: 1 }, { at: Date.now() - DAY });
    expect(await all(feed, "eve")).toEqual([]);
    expect(await feed.unseen("eve")).toEqual({ count: 0, more: false });
  });

  it("unfollow ends what is shown, also what is on its way; false for nobody", async () => {
    const feed = open();
    await Promise.all(["ada", "bob"].map((author) => feed.follow("eve", author)));
    await feed.page("eve");
    await feed.publish("ada", { n: 1 });
    await feed.publish("bob", { n: 2 });
    expect(await feed.unfollow("eve", "ada")).toBe(true);
    expect(await feed.unfollow("eve", "ada")).toBe(false);
    expect(numbers(await all(feed, "eve"))).toEqual([2]);
    // A push that was on its way.
    const { id } = await feed.publish("ada", { n: 3 });
    const inbox = `${handles.prefix}:feed:${feed.name}:{eve}:inbox`;
    await handles.send("ZADD", inbox, String(Date.now() * 1_000), id);
    expect(numbers(await all(feed, "eve"))).toEqual([2]);
    expect(await handles.send("ZSCORE", inbox, id)).toBeNull();
    expect(await feed.followerCount("ada")).toBe(0);
  });

  it("what is deleted is nowhere, stays deleted, and leaves the inbox as it is met", async () => {
    const feed = open();
    await feed.follow("eve", "ada");
    await feed.page("eve");
    const { id } = await feed.publish("ada", { n: 1 }, { id: "x", to: ["team"] });
    await feed.publish("ada", { n: 2 });
    expect(await feed.delete(feed.idOf("ada", "x"))).toBe(true);
    expect(await feed.delete(id)).toBe(false);
    expect(await feed.get(id)).toBeUndefined();
    expect(numbers(await all(feed, "eve"))).toEqual([2]);
    expect(await all(feed, "team")).toEqual([]);
    expect(numbers((await feed.outbox("ada")).entries)).toEqual([2]);
    expect(await feed.publish("ada", { n: 1 }, { id: "x" })).toEqual({ status: "deleted", id });
    expect(await feed.unseen("eve")).toEqual({ count: 1, more: false });
  });

  it("a deletion that failed half-way can be repeated, and is whole then", async () => {
    const feed = open({ group: () => "likes" });
    const [id] = await Promise.all(
      [1, 2].map(async (n) => (await feed.publish("ada", { n }, { id: String(n), to: ["team"] })).id),
    );
    const outbox = `${handles.prefix}:feed:${feed.name}:{ada}:outbox`;
    await handles.send("SET", outbox, "x");
    await expect(feed.delete(id!)).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await handles.send("UNLINK", outbox);
    expect(await feed.delete(id!)).toBe(false);
    expect((await all(feed, "team")).map(({ activity, group }) => [activity.n, group?.count])).toEqual([[2, 1]]);
  });

  it("an inbox that somebody who died has begun is ended by the next page", async () => {
    const feed = open();
    await feed.follow("eve", "ada");
    await feed.publish("ada", { n: 1 });
    const inbox = `${handles.prefix}:feed:${feed.name}:{eve}:inbox`;
    await handles.send("ZADD", inbox, "+inf", "!bdead");
    await handles.send("PEXPIRE", inbox, "1000000");
    await feed.publish("ada", { n: 2 });
    expect(numbers(await all(feed, "eve"))).toEqual([2, 1]);
    expect((await handles.send("ZRANGE", inbox, "-1", "-1"))!.toString()).toBe("!0");
    expect(await handles.send("ZCARD", inbox)).toBe(3);
  });

  it("a reader who was away is pushed nothing, and has all when he comes back", async () => {
    const feed = open();
    await Promise.all(["ada", "bob"].map((author) => feed.follow("eve", author)));
    const inbox = `${handles.prefix}:feed:${feed.name}:{eve}:inbox`;
    await feed.publish("ada", { n: 1 });
    expect(await handles.send("EXISTS", inbox)).toBe(0);
    expect(numbers(await all(feed, "eve"))).toEqual([1]);
    await feed.publish("bob", { n: 2 });
    expect(await handles.send("ZCARD", inbox)).toBe(3);
    await handles.send("PEXPIRE", inbox, "30000");
    await feed.publish("bob", { n: 3 });
    expect(await handles.send("EXISTS", inbox)).toBe(0);
    expect(numbers(await all(feed, "eve"))).toEqual([3, 2, 1]);
  });

  it("to: a feed by name has it, whoever is followed; followers: false is for nobody else", async () => {
    const feed = open();
    await feed.follow("eve", "ada");
    await feed.publish("ada", { n: 1 }, { to: ["team", "eve", "eve"] });
    await feed.publish("ada", { n: 2 }, { to: ["team"], followers: false });
    expect(numbers(await all(feed, "team"))).toEqual([2, 1]);
    expect(numbers(await all(feed, "eve"))).toEqual([1]);
    expect(numbers((await feed.outbox("ada")).entries)).toEqual([1]);
  });

  it("a named feed keeps so many, an outbox too", async () => {
    const feed = open({ maxNamed: 3, maxOutbox: 2 });
    for (let n = 0; n < 5; n += 1) await feed.publish("ada", { n }, { to: ["team"] });
    expect(numbers(await all(feed, "team"))).toEqual([4, 3, 2]);
    expect(numbers((await feed.outbox("ada")).entries)).toEqual([4, 3]);
  });

  it("a group is one entry that moves up, with its count and its last authors; it shrinks as they are deleted", async () => {
    const feed = open({ group: ({ activity: { n } }: { activity: Post }) => (n < 100 ? "likes" : undefined) });
    await feed.publish("a0", { n: 100 }, { to: ["eve"] });
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      ids.push((await feed.publish(`a${n}`, { n }, { id: `like:${n}`, to: ["eve"], followers: false })).id);
      if (n === 3) await feed.publish("a9", { n: 101 }, { to: ["eve"] });
    }
    await feed.publish("a3", { n: 3 }, { id: "like:3", to: ["eve"] });
    const [group, ...others] = await all(feed, "eve");
    expect(group).toMatchObject({
      author: "a6",
      activity: { n: 6 },
      group: { count: 7, authors: ["a6", "a5", "a4", "a3", "a2"] },
    });
    expect(numbers(others)).toEqual([101, 100]);
    await feed.delete(ids[6]!);
    expect((await all(feed, "eve"))[0]).toMatchObject({ author: "a5", group: { count: 6 } });
    expect(await feed.unseen("eve")).toEqual({ count: 3, more: false });
    for (const id of ids) await feed.delete(id);
    expect(numbers(await all(feed, "eve"))).toEqual([101, 100]);
  });

  it("a group counts also what it does not keep any more, each once", async () => {
    const feed = open({ group: () => "likes" });
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        feed.publish(`a${n}`, { n }, { id: "like", to: ["eve"], followers: false }),
      ),
    );
    for (const n of [0, 1, 99]) await feed.publish(`a${n}`, { n }, { id: "like", to: ["eve"], followers: false });
    expect((await all(feed, "eve"))[0]!.group!.count).toBe(100);
  });

  it("grouped on a page: entries of one group are shown as one", async () => {
    const feed = open({ group: ({ author, day }: { author: string; day: string }) => `${author}:${day}` });
    await Promise.all(["ada", "bob"].map((author) => feed.follow("eve", author)));
    const at = new Date("2026-11-20T12:00:00Z").getTime();
    for (const [n, author] of ["ada", "bob", "ada", "ada"].entries()) await feed.publish(author, { n }, { at: at + n });
    await feed.publish("ada", { n: 4 }, { at: at + DAY });
    const { entries, cursor } = await feed.page("eve", { grouped: true, limit: 3 });
    expect(entries.map(({ activity, group }) => [activity.n, group?.count])).toEqual([
      [4, undefined],
      [3, 3],
      [1, undefined],
    ]);
    expect(cursor).toBeUndefined();
  });

  it("limits: who follows too many, or has too many followers", async () => {
    const feed = open({ maxFollowing: 2, maxFollowers: 2 });
    for (const author of ["a", "b"]) expect(await feed.follow("eve", author)).toEqual({ status: "ok" });
    expect(await feed.follow("eve", "c")).toEqual({ status: "limit" });
    expect(await feed.followerCount("c")).toBe(0);
    expect(await feed.follow("bob", "a")).toEqual({ status: "ok" });
    expect(await feed.follow("cid", "a")).toEqual({ status: "limit" });
    expect(await feed.following("cid")).toEqual([]);
    expect(await feed.follow("eve", "a")).toEqual({ status: "duplicate" });
  });

  it("ids of any kind, also those of the feed's own parts", async () => {
    const feed = open();
    const ids = ["a:outbox", "{x}", "%7Bx%7D", "ключ", "!n", "!b", "@", 7, "x".repeat(300)];
    for (const id of ids) await feed.follow("r:inbox", id);
    for (const [n, id] of ids.entries()) await feed.publish(id, { n }, { id: "same" });
    expect(numbers(await all(feed, "r:inbox"))).toEqual(ids.map((_, n) => ids.length - 1 - n));
    expect(new Set(await feed.following("r:inbox"))).toEqual(new Set(ids.map(String)));
  });

  it("activities are checked, and one that does not fit is left out; it stays for those whom it fits", async () => {
    const validate = (value: unknown): { value: Post } | { issues: [{ message: string }] } =>
      (value as Post).n < 10 ? { value: value as Post } : { issues: [{ message: "too large" }] };
    const activity = { "~standard": { version: 1, vendor: "test", validate } } as const;
    const feed = open({ activity });
    await expect(feed.publish("ada", { n: 10 })).rejects.toBeInstanceOf(CodecError);
    const loose = handles.b.feed<Post>(feed.name);
    await loose.follow("eve", "ada");
    await loose.page("eve");
    for (const n of [9, 10]) await loose.publish("ada", { n }, { to: ["team"] });
    for (const reader of ["eve", "team"]) {
      expect(numbers(await all(feed, reader))).toEqual([9]);
      expect(numbers(await all(loose, reader))).toEqual([10, 9]);
    }
  });

  it("bad input is refused by its name", async () => {
    const feed = open({ group: () => "" });
    const bad: [string, () => Promise<unknown>][] = [
      ["group", () => feed.publish("ada", { n: 1 })],
      ["author", () => open().publish("", { n: 1 })],
      ["at", () => open().publish("ada", { n: 1 }, { at: Date.now() + 2 * DAY })],
      ["at", () => open().publish("ada", { n: 1 }, { at: Number.NaN })],
      ["to", () => open().publish("ada", { n: 1 }, { to: "eve" as never })],
      ["to", () => open().publish("ada", { n: 1 }, { followers: false })],
      ["to", () => open().publish("ada", { n: 1 }, { to: Array.from({ length: 101 }, (_, at) => at) })],
      ["id", () => open().publish("ada", { n: 1 }, { id: 5 as never })],
      ["backfill", () => feed.follow("eve", "ada", { backfill: -1 })],
      ["limit", () => feed.page("eve", { limit: 101 })],
      ["cursor", () => feed.page("eve", { cursor: "x" })],
      ["cursor", () => feed.page("eve", { cursor: `zzzzzzzzzzz.${"a".repeat(16)}` })],
      ["cursor", () => feed.followers("eve", { cursor: "x" })],
      ["position", () => feed.markSeen("eve", "x")],
      ["positions", () => feed.markRead("eve", ["x"])],
      ["id", () => feed.get("x")],
      ["id", () => feed.delete("!")],
    ];
    for (const [field, call] of bad) await expect(call()).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field });
    expect(() => open({ push: 10, direct: 11 })).toThrow("direct");
    expect(() => open({ activeFor: "1s" })).toThrow("activeFor");
    expect(() => feed.idOf("", "x")).toThrow("author");
    expect(() => feed.live("eve", { after: "x" })).toThrow("after");
    expect(() => feed.work({ concurrency: 0 })).toThrow("concurrency");
  });
});

describe.each(backends("standalone", "cluster", "embedded"))("long feeds [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const open = (options = {}): Feed<Post> => handles.a.feed<Post>(randomName(), options);

  it("beyond the inbox pages go on in the outboxes, without a hole and without a repeat", async () => {
    const feed = open();
    const authors = ["a", "b", "c"];
    await Promise.all(authors.map((author) => feed.follow("eve", author)));
    await feed.page("eve");
    const at = Date.now() - DAY;
    await Promise.all(
      Array.from({ length: 180 }, (_, n) => feed.publish(authors[n % 7 === 0 ? 0 : n % 3]!, { n }, { at: at + n })),
    );
    const inbox = `${handles.prefix}:feed:${feed.name}:{eve}:inbox`;
    expect(await handles.send("ZCARD", inbox)).toBe(112);
    expect(numbers(await all(feed, "eve", { limit: 50 }))).toEqual(Array.from({ length: 180 }, (_, n) => 179 - n));
    await feed.unfollow("eve", "a");
    const left = Array.from({ length: 180 }, (_, n) => 179 - n).filter((n) => n % 7 !== 0 && n % 3 !== 0);
    expect(numbers(await all(feed, "eve", { limit: 50 }))).toEqual(left);
    await feed.follow("eve", "a", { backfill: 1_000 });
    expect(numbers(await all(feed, "eve", { limit: 50 }))).toEqual(Array.from({ length: 180 }, (_, n) => 179 - n));
  });

  it("an inbox is a listpack, however entries come to it, and so are the marks", async () => {
    const feed = open();
    await feed.follow("eve", "ada");
    await feed.page("eve");
    const publish = (author: string, count: number): Promise<unknown> =>
      Promise.all(Array.from({ length: count }, (_, n) => feed.publish(author, { n })));
    await publish("bob", 120);
    for (let at = 0; at < 6; at += 1) await publish("ada", 25);
    await feed.follow("eve", "bob");
    const { entries } = await feed.page("eve", { limit: 100 });
    for (let at = 0; at < 2; at += 1)
      await feed.markRead(
        "eve",
        entries.map(({ position }) => position),
      );
    for (const part of ["inbox", "marks"]) {
      const key = `${handles.prefix}:feed:${feed.name}:{eve}:${part}`;
      expect(String(await handles.send("OBJECT", "ENCODING", key))).toBe("listpack");
    }
  });

  it("very many entries of the same moment do not stop a page", async () => {
    const feed = open();
    await feed.follow("eve", "ada", { backfill: 0 });
    const at = Date.now() + 60_000;
    await Promise.all(Array.from({ length: 150 }, (_, n) => feed.publish("ada", { n }, { at })));
    const found = numbers(await all(feed, "eve", { limit: 7 }));
    expect(found.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, n) => n));
  });

  it("unseen counts what is newer than what was seen, and never goes back", async () => {
    const feed = open();
    await feed.follow("eve", "ada");
    for (let n = 0; n < 4; n += 1) await feed.publish("ada", { n });
    expect(await feed.unseen("eve")).toEqual({ count: 4, more: false });
    const { entries } = await feed.page("eve");
    await feed.markSeen("eve", entries[1]!.position);
    expect(await feed.unseen("eve")).toEqual({ count: 1, more: false });
    await feed.markSeen("eve", entries[3]!.position);
    expect((await feed.page("eve")).entries.map(({ seen }) => seen)).toEqual([false, true, true, true]);
    await feed.markSeen("eve");
    expect(await feed.unseen("eve")).toEqual({ count: 0, more: false });
    await Promise.all(Array.from({ length: 110 }, (_, n) => feed.publish("ada", { n })));
    expect(await feed.unseen("eve")).toEqual({ count: 100, more: true });
  });

  it("read: single entries, all of them, and a bounded number of marks", async () => {
    const feed = open();
    await feed.follow("eve", "ada");
    const at = Date.now() - DAY;
    await Promise.all(Array.from({ length: 170 }, (_, n) => feed.publish("ada", { n }, { at: at + n })));
    await feed.markRead("eve", [(await feed.page("eve", { limit: 2 })).entries[1]!.position]);
    expect((await feed.page("eve", { limit: 3 })).entries.map(({ read }) => read)).toEqual([false, true, false]);
    const entries = await all(feed, "eve", { limit: 100 });
    await feed.markRead(
      "eve",
      entries.slice(2, 100).map(({ position }) => position),
    );
    await feed.markRead(
      "eve",
      entries.slice(100, 140).map(({ position }) => position),
    );
    const read = (await all(feed, "eve", { limit: 100 })).map((each) => each.read);
    // The marks of the oldest are a limit now.
    expect(read).toEqual(Array.from({ length: 170 }, (_, place) => place !== 0));
    expect(await handles.send("ZCARD", `${handles.prefix}:feed:${feed.name}:{eve}:marks`)).toBe(128);
    await feed.markRead("eve");
    expect((await all(feed, "eve", { limit: 100 })).every((each) => each.read)).toBe(true);
  });
});
