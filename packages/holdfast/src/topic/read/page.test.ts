/**
 * What could go wrong, and the test for each:
 * - a page skips, repeats or disorders messages ............. "back and forth", "several partitions" (against a list)
 * - between a page and what comes live something is missed ... "goes on live"
 * - those of one time in several partitions are on no page .. "of one time"
 * - one key among many costs the whole topic ................ "of one key", "looks at so many only"
 * - a place of a log that is gone shows nothing ............. "a reset"
 * - a place whose message a failover has lost is gone on from  "has replaced"
 * - one bad pack, or filter, hides all others ............... "cannot be read", "throws"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import type { TopicMessage } from "../message.ts";
import { Topic } from "../topic.ts";

const payloads = (messages: readonly TopicMessage<number>[]): number[] => messages.map(({ payload }) => payload);
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);

/** In packs of different sizes. */
async function fill(topic: Topic<number>, count: number, key?: (each: number) => string): Promise<void> {
  for (let at = 0, size = 1; at < count; at += size, size = (size % 9) + 1)
    await Promise.all(
      numbers(Math.min(size, count - at), at).map((each) => topic.publish(each, key && { key: key(each) })),
    );
}

/** All pages back from the newest, put together. */
async function backwards(topic: Topic<number>, options: object): Promise<number[][]> {
  const pages: number[][] = [];
  let before: string | undefined;
  do {
    const page = await topic.page({ ...options, ...(before !== undefined && { before }) });
    pages.unshift(payloads(page.messages));
    before = page.before;
  } while (before !== undefined);
  return pages;
}

async function forwards(topic: Topic<number>, after: string, options: object): Promise<number[][]> {
  const pages: number[][] = [];
  for (let from = after; ;) {
    const page = await topic.page({ ...options, after: from });
    if (page.after === from) return pages;
    pages.push(payloads(page.messages));
    from = page.after;
  }
}

describe.each(backends())("page and info [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const keyOf = (name: string, part: string): string => `${handles.prefix}:topic:{${name}}:${part}`;

  it("messages of one time in several partitions are each older or newer than one of them", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 3 });
    for (const each of numbers(3)) await topic.publish(each);
    const source = Topic.sourceOf(topic);
    for (const [partition, { log }] of source.logs.entries()) {
      const [pack] = await source.store(partition, "test").range(0, 1);
      await handles.send("DEL", log);
      const entry = ["XADD", log, `${pack!.last}-${pack!.epoch}`, "t", "1000", "n", "1", "m", pack!.bytes] as const;
      await handles.a.driver.send(entry, { op: "test", class: "unsafe" }, log);
    }
    const { messages } = await topic.page();
    for (const [at, { position }] of messages.entries()) {
      expect(payloads((await topic.page({ before: position })).messages)).toEqual(payloads(messages.slice(0, at)));
      expect(payloads((await topic.page({ after: position })).messages)).toEqual(payloads(messages.slice(at + 1)));
    }
  });

  it("the newest first, then back and forth: each message once, in order", async () => {
    const topic = handles.a.topic<number>(randomName());
    expect(await topic.page()).toMatchObject({ messages: [], before: undefined, reset: false });
    await fill(topic, 100);
    expect(payloads((await topic.page({ limit: 7 })).messages)).toEqual(numbers(7, 93));
    for (const limit of [1, 7, 50, 99, 100, 1_000]) {
      const pages = await backwards(topic, { limit });
      expect(pages.flat()).toEqual(numbers(100));
      expect(pages.every((page) => page.length <= limit)).toBe(true);
    }
    const [first] = (await topic.page({ limit: 100 })).messages;
    for (const limit of [1, 8, 200])
      expect((await forwards(topic, first!.position, { limit })).flat()).toEqual(numbers(99, 1));
    const middle = (await topic.page({ limit: 50 })).messages[0]!;
    expect(payloads((await topic.page({ before: middle.position, limit: 3 })).messages)).toEqual([47, 48, 49]);
    expect(payloads((await topic.page({ after: middle.position, limit: 3 })).messages)).toEqual([51, 52, 53]);
  });

  it("several partitions: by the time at which they were published, none twice and none left out", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 3 });
    await fill(topic, 90);
    for (const limit of [4, 25, 90]) {
      const seen = (await backwards(topic, { limit })).flat();
      expect(seen.toSorted((a, b) => a - b)).toEqual(numbers(90));
    }
    const times = (await topic.page({ limit: 90 })).messages.map(({ publishedAt }) => publishedAt);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const [last] = (await topic.page({ limit: 1 })).messages;
    expect(last!.publishedAt).toBe(times.at(-1));
  });

  it("of one key: its messages only, and as many as asked for", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 2 });
    await fill(topic, 300, (each) => `k${each % 20}`);
    const own = numbers(15).map((each) => each * 20 + 3);
    const newest = await topic.page({ key: "k3", limit: 4 });
    expect(payloads(newest.messages)).toEqual(own.slice(-4));
    expect((await backwards(topic, { key: "k3", limit: 4 })).flat()).toEqual(own);
    const filter = ({ key }: { key: string | undefined }): boolean => key !== "k3";
    expect((await topic.page({ filter, limit: 1_000 })).messages).toHaveLength(285);
  });

  it("looks at so many only, and then has a cursor", async () => {
    const topic = handles.a.topic<number>(randomName());
    await topic.publish(-1, { key: "rare" });
    for (let at = 0; at < 24; at += 1) await topic.publishMany(numbers(512).map((message) => ({ message })));
    const page = await topic.page({ key: "rare" });
    expect(page.messages).toEqual([]);
    expect(page.before).toBeDefined();
    expect((await backwards(topic, { key: "rare" })).flat()).toEqual([-1]);
  });

  it("goes on live behind the page, without a gap or a repeat", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 2 });
    await fill(topic, 20);
    const page = await topic.page({ limit: 5 });
    await topic.publish(20);
    await using stream = topic.messages({ from: page.after });
    await stream.ready;
    await topic.publish(21);
    const next = [(await stream.next()).value, (await stream.next()).value];
    expect(next.map((each) => each!.payload).toSorted((a, b) => a - b)).toEqual([20, 21]);
  });

  it("a place in a log that is gone is a reset: the newest of what there is now", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name);
    await fill(topic, 10);
    const { before, after } = await topic.page({ limit: 5 });
    await handles.send("DEL", `${handles.prefix}:topic:{${name}}:log`, `${handles.prefix}:topic:{${name}}:meta`);
    await topic.publish(99);
    for (const place of [{ before: before! }, { after }]) {
      const page = await topic.page(place);
      expect(page.reset).toBe(true);
      expect(payloads(page.messages)).toEqual([99]);
    }
  });

  it("what cannot be decoded is reported and left out", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name);
    await handles.a.topic<Buffer>(name, { serializer: "bytes" }).publish(Buffer.from("no JSON"));
    await topic.publish(1);
    const errors: unknown[] = [];
    const page = await topic.page({ onError: (error) => errors.push(error) });
    expect(payloads(page.messages)).toEqual([1]);
    expect(errors).toMatchObject([{ code: "CODEC" }]);
  });

  it("info: what is kept, and since when", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 2 });
    expect(await topic.info()).toMatchObject({
      messages: 0,
      partitions: [{ first: 1, last: 0, oldestAt: undefined }, {}],
    });
    await fill(topic, 10, () => "k");
    const { messages, partitions } = await topic.info();
    expect(messages).toBe(10);
    const [one] = partitions.filter((each) => each.messages > 0);
    expect(one).toMatchObject({ messages: 10, first: 1, last: 10 });
    expect(one!.oldestAt).toBeLessThanOrEqual(one!.newestAt!);
    await handles.send("DEL", `${handles.prefix}:topic:{${topic.name}${one!.partition === 1 ? "%p1" : ""}}:log`);
    expect((await topic.info()).partitions[one!.partition]).toMatchObject({ messages: 0, first: 11, last: 10 });
  });

  it("bad input is refused at the door", async () => {
    const topic = handles.a.topic<number>("orders");
    const refused: [object, string][] = [
      [{ before: "x" }, "before"],
      [{ after: "1.5.1.1" }, "after"],
      [{ before: "1.0.1.1", after: "1.0.1.1" }, "after"],
      [{ limit: 0 }, "limit"],
      [{ key: 5 }, "key"],
      [{ filter: "x" }, "filter"],
      [{ befor: "x" }, "befor"],
    ];
    for (const [given, field] of refused)
      await expect(topic.page(given)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field });
  });

  it("a place whose message a failover has replaced is a reset, before and after", async () => {
    const topic = handles.a.topic<number>(randomName());
    for (const each of numbers(3)) await topic.publish(each);
    const { position } = (await topic.publish(3)) as { position: string };
    const { after } = await topic.page({ limit: 2 });
    expect((await topic.page({ after: position })).reset).toBe(false);
    // As a replica that had not heard of the last one would go on, a little later.
    const [epoch, , offset, at] = position.split(".").map((each) => Number.parseInt(each, 36));
    await handles.send("XDEL", keyOf(topic.name, "log"), `${offset}-${epoch}`);
    await handles.send("XSETID", keyOf(topic.name, "log"), `${offset! - 1}-${epoch}`);
    await handles.send("HSET", keyOf(topic.name, "meta"), "head", "3", "at", String(at! + 5));
    await topic.publish(33);
    await topic.publish(4);
    for (const from of [{ after: position }, { after }, { before: position }]) {
      const page = await topic.page(from);
      expect(page.reset).toBe(true);
      expect(payloads(page.messages)).toEqual([0, 1, 2, 33, 4]);
    }
  });

  it("a pack that cannot be read, and what somebody else has put there, is left out", async () => {
    const topic = handles.a.topic<number>(randomName());
    await topic.publish(1);
    const [first] = await Topic.sourceOf(topic).store(0, "test").range(0, 1);
    const [log, meta] = [keyOf(topic.name, "log"), keyOf(topic.name, "meta")];
    const { epoch, at } = first!;
    await handles.send("XADD", log, `1-${epoch + 1}`, "by", "somebody");
    await handles.send("XADD", log, `3-${epoch}`, "t", String(at), "n", "2", "m", "no frames");
    await handles.send("HSET", meta, "head", "3");
    await topic.publish(4);
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    expect(payloads((await topic.page({ onError })).messages)).toEqual([1, 4]);
    expect(errors).toMatchObject([{ code: "CODEC" }]);
    await using stream = topic.messages({ from: "start", onError });
    for (const payload of [1, 4]) expect((await stream.next()).value).toMatchObject({ payload });
    await topic.publish(5);
    expect((await stream.next()).value).toMatchObject({ payload: 5, offset: 5 });
  });

  it("a filter that throws is reported, and its message left out", async () => {
    const topic = handles.a.topic<number>(randomName());
    for (const each of numbers(4)) await topic.publish(each, { id: String(each) });
    const errors: unknown[] = [];
    const filter = ({ id }: { id: string | undefined }): boolean => {
      if (id === "2") throw new Error("no");
      return true;
    };
    const { messages } = await topic.page({ filter, onError: (error) => errors.push(error) });
    expect(payloads(messages)).toEqual([0, 1, 3]);
    expect(errors).toMatchObject([{ message: "no" }]);
  });
});
