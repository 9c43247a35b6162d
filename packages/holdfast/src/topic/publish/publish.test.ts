/**
 * What could go wrong, and the test for each:
 * - messages of one tick are several entries ............... "of one tick are one entry"
 * - order, offsets or partitions are wrong ................. "in their order", "of one key", "without a key"
 * - what was published twice is there twice ................ "an id ...", "within one tick", "several partitions"
 * - a duplicate's position is taken for that of another message ... "the position of a duplicate"
 * - what the caller changes meanwhile breaks a pack ........ "changed after the call"
 * - bad input is sent ....................................... "bad input is refused at the door"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { Topic } from "../topic.ts";
import type { TopicMessage } from "../message.ts";

/** All that is kept, by partition. */
async function stored<T>(topic: Topic<T>): Promise<TopicMessage<T>[]> {
  const source = Topic.sourceOf(topic);
  const found: TopicMessage<T>[] = [];
  for (const partition of source.logs.keys()) {
    const packs = await source.store(partition, "test").range(0, 10_000);
    for (const pack of packs)
      for (const at of pack.frames.keys()) found.push(source.decode(pack, pack.first + at, partition));
  }
  return found;
}

describe.each(backends())("publish [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it("messages of one tick are one entry, in their order, from offset 1 on", async () => {
    const topic = handles.a.topic<number>(randomName());
    const results = await Promise.all([1, 2, 3].map((message) => topic.publish(message)));
    expect(results.map((each) => each.status === "ok" && each.offset)).toEqual([1, 2, 3]);
    const [key] = [`${handles.prefix}:topic:{${topic.name}}:log`];
    expect(await handles.send("XLEN", key)).toBe(1);
    await topic.publish(4);
    expect((await stored(topic)).map(({ payload, offset }) => [payload, offset])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
  });

  it("messages carry key, headers, id and the server's time", async () => {
    const topic = handles.a.topic<string>(randomName(), { delays: true });
    const key = "ключ:{x}";
    const headers = { trace: "00-ab", "": "" };
    await expect(topic.publish("x", { headers })).rejects.toMatchObject({ field: "headers" });
    await topic.publish("x", { key, headers: { trace: "00-ab", __proto: "é" }, id: "i1", delay: "5s", ttl: 10 });
    const [message] = await stored(topic);
    expect(message).toMatchObject({ payload: "x", key, id: "i1", partition: 0, offset: 1 });
    expect({ ...message!.headers }).toEqual({ trace: "00-ab", __proto: "é" });
    expect(message!.publishedAt).toBeGreaterThan(1e12);
  });

  it("two handles share the offsets, and each one's messages keep their order", async () => {
    const name = randomName();
    const topics = [handles.a.topic<[number, number]>(name), handles.b.topic<[number, number]>(name)];
    await Promise.all(
      topics.map(async (topic, who) => {
        for (let at = 0; at < 50; at += 5)
          await Promise.all([0, 1, 2, 3, 4].map((more) => topic.publish([who, at + more])));
      }),
    );
    const all = await stored(topics[0]!);
    expect(all.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    for (const who of [0, 1])
      expect(all.filter(({ payload }) => payload[0] === who).map(({ payload }) => payload[1])).toEqual(
        Array.from({ length: 50 }, (_, at) => at),
      );
  });

  it("more than one pack holds at once are all there, in order", async () => {
    const topic = handles.a.topic<string>(randomName());
    const texts = Array.from({ length: 1_500 }, (_, at) => `${at}`.padStart(at % 300));
    texts.push("x".repeat(200_000), "y");
    const results = await topic.publishMany(texts.map((message) => ({ message })));
    expect(results.map((each) => each.status === "ok" && each.offset)).toEqual(texts.map((_, at) => at + 1));
    expect((await stored(topic)).map(({ payload }) => payload)).toEqual(texts);
  });

  it("messages of one key meet in one partition; those without a key go to each in turn", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 4 });
    const keyed = await Promise.all([1, 2, 3].map((message) => topic.publish(message, { key: "k" })));
    expect(new Set(keyed.map(({ partition }) => partition)).size).toBe(1);
    const turns = new Set<number>();
    for (let at = 0; at < 4; at += 1) {
      const both = await Promise.all([topic.publish(at), topic.publish(at)]);
      expect(both[0].partition).toBe(both[1].partition);
      turns.add(both[0].partition);
    }
    expect(turns.size).toBe(4);
  });

  it("an id that is known is a duplicate, which has the place of the first", async () => {
    const name = randomName();
    const [a, b] = [handles.a.topic<number>(name), handles.b.topic<number>(name)];
    const first = await a.publish(1, { id: "one" });
    const [again, other, third] = await Promise.all([
      b.publish(2, { id: "one" }),
      b.publish(3),
      b.publish(4, { id: "two" }),
    ]);
    expect(again).toEqual({ ...first, status: "duplicate", position: expect.any(String) });
    expect([other, third].map((each) => each.status === "ok" && each.offset)).toEqual([2, 3]);
    expect((await stored(a)).map(({ payload }) => payload)).toEqual([1, 3, 4]);
    // Nothing but known ones: nothing is appended.
    expect(await a.publish(5, { id: "two" })).toMatchObject({ status: "duplicate", offset: 3 });
    expect(await stored(a)).toHaveLength(3);
  });

  it("the position of a duplicate is that of the first, wherever the repeat was sent", async () => {
    const topic = handles.a.topic<number>(randomName());
    const first = await topic.publish(1, { id: "x" });
    const start = (await topic.info()).partitions[0]!.newestAt!;
    do await topic.publish(2);
    while ((await topic.info()).partitions[0]!.newestAt === start);
    const expected = { ...first, status: "duplicate" };
    expect(await topic.publish(1, { id: "x" })).toEqual(expected);
    const [alone, again] = await Promise.all([
      topic.publish(1, { id: "x" }),
      topic.publish(1, { id: "x" }),
      topic.publish(3),
    ]);
    expect([alone, again]).toEqual([expected, expected]);
  });

  it("headers that are changed after the call go as they were", async () => {
    const topic = handles.a.topic<number>(randomName());
    const headers = { n: "" };
    await Promise.all(
      [1, 22, 333].map((length) => {
        headers.n = "x".repeat(length);
        return topic.publish(length, { headers });
      }),
    );
    expect((await stored(topic)).map((message) => message.headers["n"]!.length)).toEqual([1, 22, 333]);
  });

  it("an id that comes twice within one tick is appended once", async () => {
    const topic = handles.a.topic<number>(randomName());
    const results = await Promise.all([
      topic.publish(1, { id: "x" }),
      topic.publish(2, { id: "x" }),
      topic.publish(3),
      topic.publish(4, { id: "x" }),
    ]);
    expect(results.map((each) => [each.status, each.status !== "full" && each.offset])).toEqual([
      ["ok", 1],
      ["duplicate", 1],
      ["ok", 2],
      ["duplicate", 1],
    ]);
  });

  it("an id without a key is known in a topic of several partitions too", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 5 });
    const first = await topic.publish(1, { id: "x" });
    for (let at = 0; at < 6; at += 1)
      expect(await topic.publish(at, { id: "x" })).toMatchObject({ status: "duplicate", partition: first.partition });
  });

  it("an id is forgotten after `dedupeFor`", async () => {
    const topic = handles.a.topic<number>(randomName(), { dedupeFor: "1h" });
    await topic.publish(1, { id: "x" });
    const key = `${handles.prefix}:topic:{${topic.name}}:id:x`;
    expect(Number(await handles.send("PTTL", key))).toBeGreaterThan(3_500_000);
    await handles.send("DEL", key);
    expect(await topic.publish(2, { id: "x" })).toMatchObject({ status: "ok", offset: 2 });
  });

  it("publishMany reports what failed, and the others are there", async () => {
    const topic = handles.a.topic<unknown>(randomName());
    const failure = await topic
      .publishMany([{ message: 1 }, { message: 1n }, { message: 3 }])
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "PARTIAL" });
    expect([...(failure as { errors: Map<number, Error> }).errors.keys()]).toEqual([1]);
    expect((await stored(topic)).map(({ payload }) => payload)).toEqual([1, 3]);
    expect(await topic.publishMany([])).toEqual([]);
  });

  it("bad input is refused at the door", async () => {
    const topic = handles.a.topic<unknown>("orders");
    const refused = (field: string): object => ({ code: "INVALID_ARGUMENT", field });
    expect(() => handles.a.topic("")).toThrow(expect.objectContaining(refused("name")));
    const options: [object, string][] = [
      [{ partitions: 0 }, "partitions"],
      [{ keep: "soon" }, "keep"],
      [{ maxMessages: 1.5 }, "maxMessages"],
      [{ keepUnread: 1 }, "keepUnread"],
      [{ onFull: "drop" }, "onFull"],
      [{ dedupeFor: 0 }, "dedupeFor"],
      [{ delays: "yes" }, "delays"],
      [{ partition: 1 }, "partition"],
      [{ message: 5 }, "message"],
    ];
    for (const [given, field] of options)
      expect(() => handles.a.topic("orders", given)).toThrow(expect.objectContaining(refused(field)));
    const publishing: [object, string][] = [
      [{ key: "" }, "key"],
      [{ id: 5 }, "id"],
      [{ headers: { a: 1 } }, "headers"],
      [{ headers: { a: "x".repeat(9_000) } }, "headers"],
      [{ delay: "1s" }, "delay"],
      [{ ttl: "1s" }, "ttl"],
      [{ kee: "x" }, "kee"],
    ];
    for (const [given, field] of publishing)
      await expect(topic.publish(1, given)).rejects.toMatchObject(refused(field));
    await expect(topic.publishMany(5 as never)).rejects.toMatchObject(refused("items"));
    await expect(topic.publishMany([5] as never)).rejects.toMatchObject(refused("items"));
    await expect(topic.publish(1n)).rejects.toMatchObject({ code: "CODEC", reason: "unserializable" });
  });

  it("objects that are made for one message each leave one record in the log, and not one each", async () => {
    const name = randomName();
    for (let at = 0; at < 30; at += 1) await handles.a.topic<number>(name).publish(at);
    await Promise.all([30, 31, 32].map((each) => handles.a.topic<number>(name).publish(each)));
    const fields = (await handles.send("HKEYS", `${handles.prefix}:topic:{${name}}:meta`)) as Buffer[];
    expect(fields.filter((field) => String(field).startsWith("p:"))).toHaveLength(3);
    const { messages } = await handles.b.topic<number>(name).page({ limit: 100 });
    expect(messages.map(({ payload }) => payload).slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, at) => at));
    expect(messages).toHaveLength(33);
  });
});
