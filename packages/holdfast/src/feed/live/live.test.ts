/**
 * What could go wrong, and the test for each:
 * - an entry is missing, there twice, or somebody else's ...... "as they are published"
 * - what was followed meanwhile does not come ................. "follow while"
 * - what came before it was asked for is missing .............. "after a position"
 * - a message that arrives late brings an old entry back ..... "arrives late"
 * - it does not end ........................................... "ends"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import type { FeedLive } from "../feed.ts";
import { messageOf } from "./message.ts";

async function take(live: FeedLive<number>, count: number): Promise<number[]> {
  const found: number[] = [];
  while (found.length < count) {
    const { value } = await live.next();
    if (value === undefined) break;
    found.push(value.activity);
  }
  return found;
}

describe.each(backends())("live feeds [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it("entries come as they are published: those who are followed, by name, each once", async () => {
    const [feed, other] = [handles.a, handles.b].map((hf) => hf.feed<number>("live"));
    await feed!.follow("eve", "ada");
    await feed!.publish("ada", 0);
    await using live = feed!.live("eve");
    await using second = feed!.live("bob");
    await Promise.all([live.ready, second.ready]);
    await other!.publish("ada", 1);
    await other!.publish("cid", 2);
    await other!.publish("ada", 3, { to: ["eve", "bob"] });
    expect(await take(live, 2)).toEqual([1, 3]);
    const [next, seconds] = [take(live, 1), take(second, 2)];
    await other!.publish("cid", 4, { to: ["eve", "bob"], followers: false });
    expect(await next).toEqual([4]);
    expect(await seconds).toEqual([3, 4]);
  });

  it("follow while it is live: what comes then is there, and no more after an unfollow", async () => {
    const [feed, other] = [handles.a, handles.b].map((hf) => hf.feed<number>("live2"));
    await using live = feed!.live("eve");
    await live.ready;
    await other!.publish("x", 0, { to: ["eve"] });
    expect(await take(live, 1)).toEqual([0]);
    await other!.follow("eve", "ada");
    await other!.publish("ada", 1);
    expect(await take(live, 1)).toEqual([1]);
    await other!.unfollow("eve", "ada");
    await other!.publish("ada", 2);
    await other!.publish("x", 3, { to: ["eve"] });
    expect(await take(live, 1)).toEqual([3]);
  });

  it("after a position: what has come since, then what comes", async () => {
    const feed = handles.a.feed<number>(randomName());
    await feed.follow("eve", "ada");
    for (const n of [1, 2, 3]) await feed.publish("ada", n);
    const { entries } = await feed.page("eve");
    await using live = feed.live("eve", { after: entries[2]!.position });
    expect(await take(live, 2)).toEqual([2, 3]);
    await handles.b.feed<number>(feed.name).publish("ada", 4);
    expect(await take(live, 1)).toEqual([4]);
  });

  it("after a position: a message that arrives late does not bring back what came before", async () => {
    const feed = handles.a.feed<number>(randomName());
    await feed.follow("eve", "ada");
    for (const n of [1, 2, 3]) await feed.publish("ada", n);
    const { entries } = await feed.page("eve");
    await using live = feed.live("eve", { after: entries[1]!.position });
    expect(await take(live, 1)).toEqual([3]);
    for (const { id } of entries) {
      const late = messageOf({ author: "ada", id, followed: true, to: [] });
      await handles.a.driver.send(["PUBLISH", `${handles.prefix}:feed:${feed.name}`, late], {
        op: "test",
        class: "unsafe",
      });
    }
    await feed.publish("ada", 4);
    expect(await take(live, 1)).toEqual([4]);
  });

  it("ends with its signal, with break, and with the handle", async () => {
    const hf = await handles.another();
    const feed = hf.feed<number>(randomName());
    const stop = new AbortController();
    const stopped = take(feed.live("eve", { signal: stop.signal }), 1);
    const closed = take(feed.live("bob"), 1);
    stop.abort();
    expect(await stopped).toEqual([]);
    await feed.follow("eve", "ada");
    const live = feed.live("eve");
    await live.ready;
    await feed.publish("ada", 1);
    for await (const { activity } of live) {
      expect(activity).toBe(1);
      break;
    }
    expect((await live.next()).done).toBe(true);
    await hf.close();
    expect(await closed).toEqual([]);
  });
});
