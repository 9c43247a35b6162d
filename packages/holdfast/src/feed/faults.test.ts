/**
 * What could go wrong, and the test that watches it:
 * - a publication whose answer was lost is there twice, or not at all ... "a lost answer"
 * - a follow whose answer was lost counts twice ......................... "of a follow"
 * - a call hangs while the server does .................................. "while the server is stopped"
 * - a live feed loses what came while it was cut off .................... "cut off", "behind"
 * - a key is evicted .................................................... "evicted"
 * - a key of another type holds up the other readers .................... "of another type"
 */
import { describe, expect, it } from "vitest";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { BehindProxy } from "../../test/support/behind-proxy.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import type { Feed, FeedLive } from "./feed.ts";
import { deliver, join, outbox, post } from "./scripts.gen.ts";

const shown = async (feed: Feed<number>, reader: string): Promise<number[]> =>
  (await feed.page(reader)).entries.map(({ activity }) => activity);

describe("feeds under faults", () => {
  const net = new BehindProxy();

  it.each([
    ["the activity", post],
    ["the outbox", outbox],
    ["a group", deliver],
  ])("a lost answer of what stores %s: the entry is there once, and published", async (_, script) => {
    const feed = net.hf.feed<number>(randomName(), { group: () => "g" });
    await feed.follow("eve", "ada");
    await feed.page("eve");
    const published = await losingAnswer(net.proxy, script, () => feed.publish("ada", 1, { to: ["team"] }));
    expect(published.status).toBe("ok");
    expect(await shown(feed, "eve")).toEqual([1]);
    expect((await feed.page("team")).entries[0]!.group!.count).toBe(1);
  });

  it("a lost answer of a follow: the follower counts once", async () => {
    const feed = net.hf.feed<number>(randomName());
    expect(await losingAnswer(net.proxy, join, () => feed.follow("eve", "ada"))).toEqual({ status: "ok" });
    expect(await feed.followerCount("ada")).toBe(1);
  });

  it("while the server is stopped every call settles by its deadline", async () => {
    const feed = net.hf.feed<number>(randomName(), { timeout: 100 });
    await feed.follow("eve", "ada");
    const { id } = await feed.publish("ada", 1);
    await net.server.pause();
    const calls = [
      feed.publish("ada", 2),
      feed.get(id),
      feed.delete(id),
      feed.follow("eve", "bob"),
      feed.unfollow("eve", "ada"),
      feed.following("eve"),
      feed.followers("ada"),
      feed.followerCount("ada"),
      feed.page("eve"),
      feed.outbox("ada"),
      feed.unseen("eve"),
      feed.markSeen("eve"),
      feed.markRead("eve", ["1.0123456789abcdef"]),
      feed.live("eve").ready,
    ];
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
  });

  it("a live feed that was cut off has what was published meanwhile", async () => {
    const feed = net.hf.feed<number>(randomName());
    await feed.follow("eve", "ada");
    await using live = feed.live("eve");
    await live.ready;
    // Also where the newest one is ahead of its time.
    await net.direct.feed<number>(feed.name).publish("ada", 1, { at: Date.now() + 3_600_000 });
    expect((await live.next()).value?.activity).toBe(1);
    const next = live.next();
    net.proxy.refuse();
    net.proxy.cut();
    await net.direct.feed<number>(feed.name).publish("ada", 2);
    await net.proxy.heal();
    expect((await next).value?.activity).toBe(2);
  });

  it("a live feed that was cut off while it was behind looks for what was published meanwhile, whatever is said then", async () => {
    const feed = net.hf.feed<number>(randomName());
    const publish = (n: number): Promise<unknown> => net.direct.feed<number>(feed.name).publish("ada", n);
    const nextOf = async (live: FeedLive<number>): Promise<number | undefined> => (await live.next()).value?.activity;
    await feed.follow("eve", "ada");
    await using live = feed.live("eve");
    await using quick = feed.live("eve");
    await Promise.all([live.ready, quick.ready]);
    await publish(1);
    for (const each of [live, quick]) expect(await nextOf(each)).toBe(1);
    await publish(2);
    expect(await nextOf(quick)).toBe(2);
    const next = nextOf(quick);
    net.proxy.refuse();
    net.proxy.cut();
    await publish(3);
    await net.proxy.heal();
    expect(await next).toBe(3);
    expect(await nextOf(live)).toBe(2);
    await publish(4);
    expect(await nextOf(quick)).toBe(4);
    for (const n of [3, 4]) expect(await nextOf(live)).toBe(n);
  });

  const KINDS = {
    item: [4, 3, 2],
    "{ada}:outbox": [4, 3, 2, 1],
    "{eve}:inbox": [4, 3, 2, 1],
    "{eve}:following": [2],
    "{eve}:marks": [4, 3, 2, 1],
    "{eve}:named": [4, 3, 1],
    "{eve}:healed": [4, 3, 2, 1],
    "{ada}:followers": [4, 3, 2, 1],
    "{ada}:followers:0": [3, 2, 1],
  } as const;

  it.each(Object.entries(KINDS))("whatever is evicted, the rest is there: %s", async (kind, expected) => {
    const feed = net.hf.feed<number>(randomName());
    await feed.follow("eve", "ada");
    await feed.page("eve");
    const { id } = await feed.publish("ada", 1);
    await feed.publish("bob", 2, { to: ["eve"] });
    await feed.publish("ada", 3);
    await feed.markSeen("eve");
    const head = `${net.prefix}:feed:${feed.name}:`;
    const key = kind === "item" ? `${head}{${id}}` : head + kind;
    expect(await net.direct.command("DEL", key)).toBe(1);
    await feed.publish("ada", 4);
    expect(await shown(feed, "eve")).toEqual(expected);
  });

  it("without the marks all is unseen; a lost place among followers is renewed with a page, once a day", async () => {
    const feed = net.hf.feed<number>(randomName());
    const head = `${net.prefix}:feed:${feed.name}:`;
    await feed.follow("eve", "ada");
    await feed.publish("ada", 1);
    await feed.page("eve");
    await feed.markSeen("eve");
    await net.direct.command("DEL", `${head}{eve}:marks`);
    expect(await feed.unseen("eve")).toEqual({ count: 1, more: false });
    await net.direct.command("DEL", `${head}{ada}:followers:0`, `${head}{eve}:healed`);
    await feed.page("eve");
    await until("it is renewed", async () => (await feed.followers("ada")).followers.length === 1);
    await feed.publish("ada", 2);
    expect(await shown(feed, "eve")).toEqual([2, 1]);
  });

  it("an inbox of another type holds up no other reader", async () => {
    const feed = net.hf.feed<number>(randomName());
    for (const reader of ["eve", "bob"]) {
      await feed.follow(reader, "ada");
      await feed.page(reader);
    }
    await net.direct.command("SET", `${net.prefix}:feed:${feed.name}:{bob}:inbox`, "x", "EX", "1000");
    expect(await feed.publish("ada", 1)).toMatchObject({ status: "ok" });
    expect(await shown(feed, "eve")).toEqual([1]);
    await expect(feed.page("bob")).rejects.toMatchObject({ code: "WRONG_TYPE" });
  });
});
