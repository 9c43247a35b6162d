/**
 * What could go wrong, and the test for each:
 * - what is too old, or too much, stays ............................ "by age", "by count", "producers"
 * - what is to be kept goes ........................................ "keepUnread", "up to the cap", "refuse"
 * - a full topic loses, repeats or disorders messages .............. "refuse", "wait", "in part"
 * - what is in a full topic is answered `full` ..................... "wherever it stands", "waits for nothing"
 * - what is gone takes room ........................................ "has ended"
 * - a clock that was ahead ends retention .......................... "a clock"
 * - keys stay for ever, or end too early ........................... "times to live"
 */
import { describe, expect, it } from "vitest";
import type { Arg } from "../../driver/port.ts";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { Topic } from "../topic.ts";
import type { TopicPublishResult } from "./options.ts";

const HOUR = 3_600_000;
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);
const statuses = (results: readonly TopicPublishResult[]): string[] => results.map(({ status }) => status);

describe.each(backends())("retention [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const send = (...args: [string, string, ...Arg[]]): Promise<unknown> =>
    handles.a.driver.send(args, { op: "test", class: "unsafe" }, args[1]);

  async function publishEach(topic: Topic<number>, messages: readonly number[]): Promise<void> {
    for (const message of messages) await topic.publish(message);
  }

  /** Makes the messages up to that offset older, as if they had been published so much earlier. */
  async function age(topic: Topic<number>, upTo: number, ms: number): Promise<void> {
    const source = Topic.sourceOf(topic);
    const { log, meta } = source.logs[0]!;
    const packs = await source.store(0, "test").range(0, 10_000);
    await send("DEL", log);
    for (const { epoch, first, last, at, bytes } of packs)
      await send(
        "XADD",
        log,
        `${last}-${epoch}`,
        "t",
        String(last <= upTo ? at - ms : at),
        "n",
        String(last - first + 1),
        "m",
        bytes,
      );
    await send("HSET", meta, "trimmed", "0");
  }
  const firstOf = async (topic: Topic<number>): Promise<number> => (await topic.info()).partitions[0]!.first;
  const passed = (topic: Topic<number>, subscription: string, cursor: string): Promise<unknown> =>
    send("HSET", Topic.sourceOf(topic).logs[0]!.cursors, subscription, cursor);

  it("by age: what is older than `keep` goes with a later publish", async () => {
    const topic = handles.a.topic<number>(randomName(), { keep: "1h" });
    for (const upTo of [0, 1, 6, 10]) {
      await publishEach(topic, numbers(10));
      const before = await firstOf(topic);
      await age(topic, before - 1 + upTo, 2 * HOUR);
      await topic.publish(99);
      expect(await firstOf(topic)).toBe(before + upTo);
      await age(topic, 1_000_000, 2 * HOUR);
      await topic.publish(99);
    }
  });

  it("by count: about `maxMessages` stay, the newest", async () => {
    const topic = handles.a.topic<number>(randomName(), { maxMessages: 100 });
    for (const at of numbers(60)) await topic.publishMany(numbers(10, at * 10).map((message) => ({ message })));
    const { messages } = await topic.info();
    expect(messages).toBeGreaterThanOrEqual(100);
    expect(messages).toBeLessThanOrEqual(174);
    const page = await topic.page({ limit: 100 });
    expect(page.messages.map(({ payload }) => payload)).toEqual(numbers(100, 500));
  });

  it("keepUnread: what a subscription has not passed outlives `keep`, while the subscription is used", async () => {
    const topic = handles.a.topic<number>(randomName(), { keep: "1h", keepUnread: true });
    await publishEach(topic, numbers(10));
    await passed(topic, "fast", "9");
    await passed(topic, "slow", `4:${Date.now() + HOUR}`);
    await age(topic, 8, 2 * HOUR);
    await topic.publish(10);
    expect(await firstOf(topic)).toBe(5);
    await passed(topic, "slow", `4:${Date.now() - HOUR}`);
    await age(topic, 8, 2 * HOUR);
    await topic.publish(11);
    expect(await firstOf(topic)).toBe(9);
  });

  it("keepUnread: up to the cap, and without a subscription what is old goes", async () => {
    const topic = handles.a.topic<number>(randomName(), { keep: "1h", keepUnread: true, maxMessages: 10 });
    await publishEach(topic, numbers(5));
    await age(topic, 3, 2 * HOUR);
    await topic.publish(5);
    expect(await firstOf(topic)).toBe(4);
    await passed(topic, "slow", "4");
    await publishEach(topic, numbers(100));
    expect((await topic.info()).messages).toBeLessThanOrEqual(75);
  });

  it("refuse: a full partition takes no more, until all subscriptions have passed the oldest", async () => {
    const topic = handles.a.topic<number>(randomName(), { maxMessages: 5, onFull: "refuse" });
    await publishEach(topic, numbers(5));
    expect(await topic.publish(5)).toEqual({ status: "full", partition: 0 });
    await passed(topic, "one", "3");
    await passed(topic, "two", "2");
    expect(statuses(await Promise.all(numbers(4, 6).map((each) => topic.publish(each))))).toEqual([
      "ok",
      "ok",
      "full",
      "full",
    ]);
    await passed(topic, "two", "3");
    expect(await topic.publish(10)).toMatchObject({ status: "ok", offset: 8 });
    expect((await topic.page()).messages.map(({ payload }) => payload)).toEqual([3, 4, 6, 7, 10]);
  });

  it("refuse, in part: a duplicate needs no room", async () => {
    const topic = handles.a.topic<number>(randomName(), { maxMessages: 2, onFull: "refuse" });
    await topic.publish(0, { id: "a" });
    const results = await topic.publishMany([
      { message: 1, id: "a" },
      { message: 2, id: "b" },
      { message: 3, id: "c" },
    ]);
    expect(statuses(results)).toEqual(["duplicate", "ok", "full"]);
  });

  it("refuse: what is there already is a duplicate, wherever it stands in the tick", async () => {
    const topic = handles.a.topic<number>(randomName(), { maxMessages: 2, onFull: "refuse" });
    const publish = async (...ids: string[]): Promise<string[]> =>
      statuses(await topic.publishMany(ids.map((id, message) => ({ message, id }))));
    expect(await publish("a")).toEqual(["ok"]);
    expect(await publish("b", "c", "a", "b")).toEqual(["ok", "full", "duplicate", "duplicate"]);
    expect(await publish("d", "a", "d")).toEqual(["full", "duplicate", "full"]);
    expect((await topic.page()).messages.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  it("wait: what is there already waits for nothing", async () => {
    const topic = handles.a.topic<number>(randomName(), { maxMessages: 1, onFull: "wait", timeout: "1s" });
    await topic.publish(0, { id: "a" });
    const results = await topic.publishMany(["b", "a", "b"].map((id, message) => ({ message, id })));
    expect(statuses(results)).toEqual(["full", "duplicate", "full"]);
  });

  it("refuse: a log that has ended has room, and is full of what is there", async () => {
    const topic = handles.a.topic<number>(randomName(), { maxMessages: 2, onFull: "refuse" });
    await publishEach(topic, numbers(2));
    await send("DEL", Topic.sourceOf(topic).logs[0]!.log);
    const results = await topic.publishMany(numbers(3, 2).map((message) => ({ message })));
    expect(statuses(results)).toEqual(["ok", "ok", "full"]);
    expect((await topic.page()).messages.map(({ offset }) => offset)).toEqual([3, 4]);
  });

  it("by age, after a clock was ahead for a while", async () => {
    const topic = handles.a.topic<number>(randomName(), { keep: "1h" });
    await publishEach(topic, numbers(3));
    await age(topic, 2, 2 * HOUR);
    await send("HSET", Topic.sourceOf(topic).logs[0]!.meta, "trimmed", String(Date.now() + 1_000 * HOUR));
    await topic.publish(3);
    expect(await firstOf(topic)).toBe(3);
  });

  it("wait: messages wait for room, in order; at their deadline they are refused", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name, { maxMessages: 5, onFull: "wait" });
    await publishEach(topic, numbers(5));
    const waiting = Promise.all(numbers(4, 5).map((each) => topic.publish(each)));
    await passed(topic, "one", "2");
    await passed(topic, "one", "5");
    expect(statuses(await waiting)).toEqual(["ok", "ok", "ok", "ok"]);
    const hasty = handles.b.topic<number>(name, { maxMessages: 5, onFull: "wait", timeout: "300ms" });
    expect(statuses(await Promise.all(numbers(4, 9).map((each) => hasty.publish(each))))).toEqual([
      "ok",
      "full",
      "full",
      "full",
    ]);
    const page = await topic.page();
    expect(page.messages.map(({ payload }) => payload)).toEqual([5, 6, 7, 8, 9]);
  });

  it("what producers wrote down that are long gone is forgotten", async () => {
    const topic = handles.a.topic<number>(randomName());
    await topic.publish(0);
    const { meta } = Topic.sourceOf(topic).logs[0]!;
    const old = numbers(70).flatMap((each) => [`p:gone${each}`, `1 5 1 ${Date.now() - HOUR}`]);
    await send("HSET", meta, "trimmed", "0", "p:young", `1 5 1 ${Date.now()}`, ...old);
    await topic.publish(1);
    // Five fields of the log, this producer, and the young one.
    expect(await send("HLEN", meta)).toBe(7);
  });

  it("times to live: the log ends after `keep`, what is known of it later, and unread messages not at all", async () => {
    const topic = handles.a.topic<number>(randomName(), { keep: "1h" });
    await topic.publish(0);
    const { log, meta } = Topic.sourceOf(topic).logs[0]!;
    const [logMs, metaMs] = [Number(await send("PTTL", log)), Number(await send("PTTL", meta))];
    expect(logMs).toBeGreaterThan(HOUR);
    expect(logMs).toBeLessThan(HOUR + 180_000);
    expect(metaMs).toBeGreaterThan(29 * 24 * HOUR);
    const unread = handles.a.topic<number>(randomName(), { keep: "1h", keepUnread: true });
    await unread.publish(0);
    expect(Number(await send("PTTL", Topic.sourceOf(unread).logs[0]!.log))).toBe(-1);
  });
});
