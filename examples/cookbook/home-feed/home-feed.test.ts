// What could go wrong, and the test for each:
// - a post is missing at a follower's, or there twice ....... "posts of those who are followed", "sent twice"
// - it stays after an unfollow .............................. "unfollow"
// - each like rings, or one that was taken back counts ...... "are one notification"
// - the bell forgets what came while it was opened .......... "is new until it was opened"
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { HomeFeed } from "./home-feed.ts";

describe.each(backends("standalone", "embedded"))("cookbook: home feed [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  async function processes(count: number): Promise<HomeFeed[]> {
    const prefix = `cook-${randomUUID()}`;
    const opened = await Promise.all(
      Array.from({ length: count }, () => connect(url, { ...options, prefix, timeout: "30s" })),
    );
    handles.push(...opened);
    return opened.map((hf) => new HomeFeed(hf));
  }

  const texts = async (site: HomeFeed, reader: string): Promise<string[]> =>
    (await site.page(reader)).entries.map(({ activity }) => activity.text);

  it("posts of those who are followed are on the page; a form that is sent twice posts once; unfollow ends it", async () => {
    const [a, b] = await processes(2);
    await a!.follow("bob", "ada");
    await a!.follow("bob", "cid");
    await Promise.all([a!.post("ada", "form-1", "one"), b!.post("ada", "form-1", "one")]);
    await b!.post("cid", "form-1", "two");
    expect(await texts(b!, "bob")).toEqual(["two", "one"]);
    await a!.unfollow("bob", "cid");
    expect(await texts(b!, "bob")).toEqual(["one"]);
  });

  it("a page that is open gets what is posted", async () => {
    const [a, b] = await processes(2);
    await a!.follow("bob", "ada");
    const stop = new AbortController();
    const got: string[] = [];
    const reading = (async () => {
      for await (const { activity } of a!.live("bob", stop.signal)) {
        got.push(activity.text);
        if (got.at(-1) === "last") break;
      }
    })();
    // One by one until it listens: what came before it did is not new.
    for (let n = 0; got.length === 0; n += 1) {
      await b!.post("ada", `n-${n}`, String(n));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await b!.post("ada", "last", "last");
    await reading;
    expect(got.at(-1)).toBe("last");
  });

  it("likes of one post are one notification, which is new until it was opened", async () => {
    const [a, b] = await processes(2);
    const post = await a!.post("ada", "form-1", "one");
    await a!.follow("bob", "ada");
    for (const fan of ["bob", "cid", "dan", "ada", "bob"]) await b!.like(fan, post);
    expect(await b!.badge("ada")).toBe("2");
    expect((await b!.openBell("ada")).map(({ text, isNew }) => [text, isNew])).toEqual([
      ["dan and 2 others liked your post", true],
      ["bob followed you", true],
    ]);
    expect(await a!.badge("ada")).toBe("0");
    await a!.like("eve", post);
    await a!.unlike("dan", post);
    expect(await a!.badge("ada")).toBe("1");
    expect((await a!.openBell("ada"))[0]!.text).toBe("eve and 2 others liked your post");
  });
});
