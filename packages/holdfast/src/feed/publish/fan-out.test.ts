/**
 * What could go wrong, and the test for each:
 * - followers of a bucket are not met, or a bucket is large ... "buckets"
 * - many followers hold up a publication ...................... "by a worker"
 * - whoever has very many followers is pushed, or not seen .... "above the threshold"
 * - on the way back entries are lost .......................... "below it again", "ends between"
 * - an author at the border goes to and fro ................... "below it again"
 * - the way back is not ended by whoever began it ............. "begun again"
 * - a process dies in a publication ........................... "has begun"
 * - followers are counted twice while they move ............... "are not counted"
 * - follow and publish, or follow and unfollow, at once ....... "at the same time"
 */
import { describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { runScript } from "../../core/script/run.ts";
import type { Feed } from "../feed.ts";
import { recount } from "../scripts.gen.ts";

const shown = async (feed: Feed<number>, reader: string): Promise<number[]> =>
  (await feed.page(reader)).entries.map(({ activity }) => activity);

describe.each(backends("standalone", "cluster", "embedded"))("fan-out of feeds [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const keyOf = (feed: Feed<number>, id: string, part: string): string =>
    `${handles.prefix}:feed:${feed.name}:{${id}}:${part}`;
  const pushed = async (feed: Feed<number>, reader: string, id: string): Promise<boolean> =>
    (await handles.send("ZSCORE", keyOf(feed, reader, "inbox"), id)) !== null;
  const readers = (count: number): string[] => Array.from({ length: count }, (_, at) => `r${at}`);

  it("followers are in buckets of a listpack, each in one, and all of them are met", async () => {
    const feed = handles.a.feed<number>(randomName());
    const all = readers(300);
    await Promise.all(all.map((reader, at) => handles[at % 2 === 0 ? "a" : "b"].feed(feed.name).follow(reader, "ada")));
    expect(await feed.followerCount("ada")).toBe(300);
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await feed.followers("ada", cursor === undefined ? {} : { cursor });
      found.push(...page.followers);
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(found.toSorted()).toEqual(all.toSorted());
    const buckets = Number(await handles.send("HGET", keyOf(feed, "ada", "followers"), "n"));
    expect(buckets).toBeGreaterThan(4);
    for (let bucket = 0; bucket < buckets; bucket += 1)
      expect(Number(await handles.send("ZCARD", keyOf(feed, "ada", `followers:${bucket}`)))).toBeLessThan(128);
    const ends = [...all.slice(0, 40), "nobody"];
    expect(await Promise.all(ends.map((reader) => feed.unfollow(reader, "ada")))).toEqual(
      ends.map((each) => each !== "nobody"),
    );
    expect(await feed.followerCount("ada")).toBe(260);
  });

  it("followers who were met twice, as a bucket was added, are not counted so", async () => {
    const feed = handles.a.feed<number>(randomName());
    for (const reader of readers(3)) await feed.follow(reader, "ada");
    const keys = { followers: keyOf(feed, "ada", "followers") };
    const counted = async (buckets: number): Promise<number> => {
      const args = { before: 3, count: 4, buckets };
      await runScript(handles.a.driver, recount, keys, args, { op: "test" });
      return feed.followerCount("ada");
    };
    await handles.send("HSET", keys.followers, "n", "2");
    expect(await counted(1)).toBe(3);
    expect(await counted(2)).toBe(4);
  });

  it("a way back to pushing that ends between two requests of a page hides nothing on it", async () => {
    const options = { push: 2, direct: 2 };
    const feed = handles.a.feed<number>(randomName(), options);
    for (const reader of readers(3)) await feed.follow(reader, "ada");
    await feed.page("r0");
    await feed.publish("ada", 1);
    await handles.send("HSET", keyOf(feed, "ada", "followers"), "s", "1");
    await feed.publish("ada", 2);
    for (const reader of ["r1", "r2"]) await feed.unfollow(reader, "ada");
    const late = await handles.another();
    const { driver } = late;
    const batch = driver.batch.bind(driver);
    vi.spyOn(driver, "batch").mockImplementationOnce(async (...asked) => {
      const replies = await batch(...asked);
      await feed.publish("ada", 3);
      return replies;
    });
    expect(await shown(late.feed(feed.name, options), "r0")).toEqual([3, 2, 1]);
    expect(String(await handles.send("HGET", keyOf(feed, "ada", "followers"), "m"))).toBe("push");
  });

  it("more than `direct` followers get it by a worker, wherever that runs", async () => {
    const feed = handles.a.feed<number>(randomName(), { direct: 5, push: 100 });
    const all = readers(12);
    await Promise.all(all.map((reader) => feed.follow(reader, "ada")));
    await Promise.all(all.map((reader) => feed.page(reader)));
    const { id } = await feed.publish("ada", 1);
    expect(await pushed(feed, "r3", id)).toBe(false);
    expect((await handles.a.queue(`feed:${feed.name}`).counts()).waiting).toBe(1);
    await using worker = handles.b.feed(feed.name, { direct: 5, push: 100 }).work();
    await until("all have it", async () =>
      (await Promise.all(all.map((each) => pushed(feed, each, id)))).every(Boolean),
    );
    expect(await shown(feed, "r3")).toEqual([1]);
    await worker.close();
  });

  it("above the threshold entries are pulled; below it again they are pushed, and none is missing", async () => {
    const options = { push: 5, direct: 5 };
    const feed = handles.a.feed<number>(randomName(), options);
    const other = handles.b.feed<number>(feed.name, options);
    for (const reader of readers(6)) await feed.follow(reader, "ada");
    for (const reader of readers(3)) await other.page(reader);
    const modeOf = async (): Promise<string> =>
      String(await handles.send("HGET", keyOf(feed, "ada", "followers"), "m"));
    // For a minute both, as others do not know yet; this many are more than `direct`.
    await feed.publish("ada", 1);
    expect(await modeOf()).toBe("pull");
    await handles.send("HSET", keyOf(feed, "ada", "followers"), "s", "1");
    const { id } = await feed.publish("ada", 2);
    expect(await pushed(feed, "r0", id)).toBe(false);
    expect(await shown(feed, "r0")).toEqual([2, 1]);
    expect(await feed.unseen("r0")).toEqual({ count: 2, more: false });
    await feed.unfollow("r5", "ada");
    await feed.publish("ada", 3);
    expect(await modeOf()).toBe("pull");
    await feed.unfollow("r4", "ada");
    const last = await feed.publish("ada", 4);
    expect(await modeOf()).toBe("push");
    expect(await pushed(feed, "r0", id)).toBe(true);
    expect(await pushed(feed, "r0", last.id)).toBe(true);
    const pulled = `${handles.prefix}:feed:{${feed.name}}:pulled`;
    expect(await handles.send("EXISTS", pulled)).toBe(0);
    for (const reader of ["r0", "r3"]) expect(await shown(feed, reader)).toEqual([4, 3, 2, 1]);
    expect(await shown(other, "r1")).toEqual([4, 3, 2, 1]);
  });

  it("a way back to pushing that was not ended is begun again, unless the author has grown meanwhile", async () => {
    const feed = handles.a.feed<number>(randomName(), { push: 2, direct: 2 });
    for (const reader of readers(2)) await feed.follow(reader, "ada");
    await feed.page("r0");
    const followers = keyOf(feed, "ada", "followers");
    await feed.publish("ada", 1);
    await handles.a.driver.send(["HSET", followers, "m", "join", "s", "1"], { op: "test", class: "unsafe" }, followers);
    await feed.publish("ada", 2);
    expect(String(await handles.send("HGET", followers, "m"))).toBe("push");
    await handles.a.driver.send(["HSET", followers, "m", "join", "s", "1"], { op: "test", class: "unsafe" }, followers);
    await feed.follow("r2", "ada");
    await feed.publish("ada", 3);
    expect(String(await handles.send("HGET", followers, "m"))).toBe("pull");
    expect(await shown(feed, "r0")).toEqual([3, 2, 1]);
  });

  it("what a process that died has begun, another ends", async () => {
    const feed = handles.a.feed<number>(randomName());
    await feed.follow("eve", "ada");
    await feed.page("eve");
    const { id } = await feed.publish("ada", 1, { to: ["team"] });
    const unfinished = `${handles.prefix}:feed:{${feed.name}}:unfinished`;
    await until("it has ended", async () => (await handles.send("EXISTS", unfinished)) === 0);
    // As if it had not come farther than this.
    await handles.send("ZADD", unfinished, "1", id);
    await handles.send("ZADD", unfinished, "1", "0123456789abcdef");
    // Before the others, and nobody can read it.
    const broken = "-".repeat(16);
    await handles.send("SET", `${handles.prefix}:feed:${feed.name}:{${broken}}`, "x", "PX", "1000000");
    await handles.send("ZADD", unfinished, "0", broken);
    await handles.send("ZREM", keyOf(feed, "ada", "outbox"), id);
    await handles.send("ZREM", keyOf(feed, "eve", "inbox"), id);
    await handles.send("UNLINK", keyOf(feed, "team", "named"));
    const other = (await handles.another()).feed<number>(feed.name);
    await until("it has ended", async () => {
      await other.page("x");
      return (await handles.send("ZCARD", unfinished)) === 1;
    });
    for (const reader of ["eve", "team"]) expect(await shown(feed, reader)).toEqual([1]);
    expect((await feed.outbox("ada")).entries).toHaveLength(1);
  });

  it("follow, publish and unfollow at the same time: who follows in the end has all, who does not has nothing", async () => {
    const feeds = [handles.a, handles.b].map((hf) => hf.feed<number>("races", { direct: 50 }));
    await Promise.all(
      Array.from({ length: 25 }, async (_, at) => {
        const [reader, author] = [`r${at}`, `a${at}`];
        await feeds[0]!.follow(reader, "other");
        await feeds[0]!.page(reader);
        const acts = [
          () => feeds[0]!.follow(reader, author),
          () => feeds[1]!.publish(author, 1),
          () => feeds[0]!.publish(author, 2),
          ...(at % 2 === 0 ? [() => feeds[1]!.unfollow(reader, author)] : []),
        ];
        await Promise.all(acts.map((act) => act()));
        const follows = (await feeds[0]!.following(reader)).includes(author);
        expect(new Set(await shown(feeds[1]!, reader))).toEqual(new Set(follows ? [1, 2] : []));
        await feeds[0]!.publish(author, 3);
        const { id } = await feeds[0]!.publish(author, 4);
        expect((await shown(feeds[1]!, reader)).length).toBe(follows ? 4 : 0);
        expect(await pushed(feeds[0]!, reader, id)).toBe(follows);
      }),
    );
  });
});
