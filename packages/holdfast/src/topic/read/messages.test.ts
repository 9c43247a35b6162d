/**
 * What could go wrong, and the test for each:
 * - something is missed or repeated between history and live ... "history, then live", "joins while ... are published"
 * - a position resumes at another place ........................ "goes on behind ...", "several partitions"
 * - what is gone is not said .................................... "a gap", "a reset", "FLUSHALL"
 * - each reader has a subscription of its own ................... "share one subscription"
 * - one that could not begin goes on in the background ....... "could not begin"
 * - large messages behind tiny ones are read all at once ....... "are not read at once"
 * - what is bad ends it, or nothing ends it ..................... "cannot be decoded", "ends without an error by"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import type { TopicMessage } from "../message.ts";
import type { TopicGap } from "../subscription.ts";
import { Topic } from "../topic.ts";
import type { TopicStream } from "./stream.ts";

/** The next `count` messages. */
async function take<T>(stream: TopicStream<T>, count: number): Promise<TopicMessage<T>[]> {
  const taken: TopicMessage<T>[] = [];
  while (taken.length < count) {
    const { value, done } = await stream.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

const payloads = <T>(messages: readonly TopicMessage<T>[]): T[] => messages.map(({ payload }) => payload);
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at);

describe.each(backends())("messages [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const serverNow = async (): Promise<number> => {
    const [seconds, micros] = (await handles.a.driver.send(["TIME"], { op: "test", class: "read" })) as Buffer[];
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  };
  const logOf = (name: string): string => `${handles.prefix}:topic:{${name}}:log`;
  const metaOf = (name: string): string => `${handles.prefix}:topic:{${name}}:meta`;

  it("yields what is published from `ready` on, in order, by whichever handle", async () => {
    const name = randomName();
    const [a, b] = [handles.a.topic<number>(name), handles.b.topic<number>(name)];
    await a.publish(-1);
    await using stream = b.messages();
    await stream.ready;
    await Promise.all(numbers(300).map((each) => a.publish(each)));
    expect(payloads(await take(stream, 300))).toEqual(numbers(300));
    await b.publish(300, { key: "k", headers: { h: "1" } });
    const [last] = await take(stream, 1);
    expect(last).toMatchObject({ payload: 300, key: "k", headers: { h: "1" }, offset: 302 });
  });

  it("yields history, then live, without a gap or a repeat, while messages are published", async () => {
    const topic = handles.a.topic<number>(randomName());
    let next = 0;
    const stop = new AbortController();
    const publishing = (async () => {
      while (!stop.signal.aborted) {
        await Promise.all(numbers(7, next).map((each) => topic.publish(each)));
        next += 7;
      }
    })();
    for (let round = 0; round < 5; round += 1) {
      await using stream = handles.b.topic<number>(topic.name).messages({ from: "start" });
      const wanted = next + 200;
      expect(payloads(await take(stream, wanted))).toEqual(numbers(wanted));
    }
    stop.abort();
    await publishing;
  });

  it("goes on behind a message, a result of publish, and where another reader stopped", async () => {
    const topic = handles.a.topic<number>(randomName());
    const results = await topic.publishMany(numbers(10).map((message) => ({ message })));
    await topic.publish(10);
    const { position } = results[3] as { position: string };
    await using behind = topic.messages({ from: position });
    expect(payloads(await take(behind, 7))).toEqual(numbers(7, 4));
    await using first = topic.messages({ from: "start" });
    const [, second] = await take(first, 2);
    await using third = topic.messages({ from: second!.position });
    expect(payloads(await take(third, 2))).toEqual([2, 3]);
    await using other = topic.messages({ from: third.position });
    expect(payloads(await take(other, 1))).toEqual([4]);
  });

  it("several partitions: a position says where the reader is in all of them", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 3 });
    for (const each of numbers(60)) await topic.publish(each);
    const seen: number[] = [];
    let from: string = "start";
    while (seen.length < 60) {
      await using stream = topic.messages({ from });
      const part = await take(stream, 7);
      seen.push(...payloads(part.slice(0, Math.min(7, 60 - seen.length))));
      from = part.at(-1)!.position;
      if (seen.length > 50) break;
    }
    expect(new Set(seen).size).toBe(seen.length);
    await using rest = topic.messages({ from });
    const last = await take(rest, 60 - seen.length);
    expect([...seen, ...payloads(last)].toSorted((a, b) => a - b)).toEqual(numbers(60));
  });

  it("one key: its messages only, from its partition only", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 4 });
    for (const each of numbers(20)) await topic.publish(each, { key: `k${each % 5}` });
    await using stream = topic.messages({ from: "start", key: "k3" });
    expect(payloads(await take(stream, 4))).toEqual([3, 8, 13, 18]);
  });

  it("a filter sees key, id and headers, and what it refuses is not decoded", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name);
    const errors: unknown[] = [];
    await topic.publish(1, { headers: { to: "b" } });
    await topic.publish(2, { headers: { to: "a" }, id: "x" });
    const bytes = handles.a.topic<Buffer>(name, { serializer: "bytes" });
    await bytes.publish(Buffer.from("no JSON"), { headers: { to: "b" } });
    await topic.publish(3, { headers: { to: "a" } });
    await using stream = topic.messages({
      from: "start",
      filter: ({ headers }) => headers["to"] === "a",
      onError: (error) => errors.push(error),
    });
    expect(payloads(await take(stream, 2))).toEqual([2, 3]);
    expect(errors).toEqual([]);
  });

  it("what cannot be decoded is reported with its bytes, and the next one is yielded", async () => {
    const name = randomName();
    const errors: unknown[] = [];
    await handles.a.topic<Buffer>(name, { serializer: "bytes" }).publish(Buffer.from("no JSON"), { key: "k" });
    const topic = handles.a.topic<number>(name);
    await topic.publish(2);
    await using stream = topic.messages({ from: "start", onError: (error, raw) => errors.push([error, raw]) });
    expect(payloads(await take(stream, 1))).toEqual([2]);
    expect(errors).toMatchObject([[{ code: "CODEC" }, { key: "k", partition: 0, offset: 1 }]]);
  });

  it("from a time: what was published then or later", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 2 });
    for (const each of numbers(40)) await topic.publish(each);
    await using all = topic.messages({ from: "start" });
    const messages = (await take(all, 40)).toSorted((a, b) => a.payload - b.payload);
    const time = messages[25]!.publishedAt;
    const expected = messages.filter(({ publishedAt }) => publishedAt >= time);
    await using stream = topic.messages({ from: { time } });
    expect(payloads(await take(stream, expected.length)).toSorted((a, b) => a - b)).toEqual(payloads(expected));
    await using later = topic.messages({ from: { time: new Date(Date.now() + 3_600_000) } });
    await later.ready;
    await topic.publish(99);
    expect(payloads(await take(later, 1))).toEqual([99]);
  });

  it("a gap is told in its place, before the next message", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name);
    const first = (await topic.publish(0)) as { position: string };
    for (const each of numbers(9, 1)) await topic.publish(each);
    await handles.send("XTRIM", logOf(name), "MINID", "6");
    const log: unknown[] = [];
    const onGap = (gap: TopicGap): void => void log.push(gap);
    await using stream = topic.messages({ from: first.position, onGap });
    for (const { payload } of await take(stream, 5)) log.push(payload);
    expect(log).toEqual([{ kind: "gap", partition: 0, from: 2, to: 5, count: 4 }, 5, 6, 7, 8, 9]);
    await handles.send("DEL", logOf(name));
    await using gone = topic.messages({ from: first.position, onGap: (gap) => void log.push(gap) });
    await gone.ready;
    await topic.publish(10);
    log.length = 0;
    expect(payloads(await take(gone, 1))).toEqual([10]);
    expect(log).toEqual([{ kind: "gap", partition: 0, from: 2, to: 10, count: 9 }]);
  });

  it("a log that began again is a reset, for those who read and for those who come back", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name);
    const first = (await topic.publish(0)) as { position: string };
    await topic.publish(1);
    const gaps: TopicGap[] = [];
    await using stream = topic.messages({ from: "start", onGap: (gap) => void gaps.push(gap) });
    await take(stream, 2);
    await handles.send("DEL", logOf(name), metaOf(name));
    await topic.publish(2);
    expect(payloads(await take(stream, 1))).toEqual([2]);
    expect(gaps).toMatchObject([{ kind: "reset", partition: 0 }]);
    await using again = topic.messages({ from: first.position, onGap: (gap) => void gaps.push(gap) });
    expect(payloads(await take(again, 1))).toEqual([2]);
    expect(gaps).toMatchObject([{ kind: "reset" }, { kind: "reset" }]);
  });

  it("other messages at the same offsets are a reset: a failover has lost what was there", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name);
    await topic.publishMany(numbers(3).map((message) => ({ message })));
    const { publishedAt } = (await topic.page({ limit: 1 })).messages[0]!;
    // What is of the same millisecond as the lost one would be read again.
    await until("a millisecond later", async () => (await serverNow()) > publishedAt);
    const { position } = (await topic.publish(3)) as { position: string };
    // As a replica that had not heard of the last one would go on, a little later.
    const [epoch, , offset, at] = position.split(".").map((each) => Number.parseInt(each, 36));
    await handles.send("XDEL", logOf(name), `${offset}-${epoch}`);
    await handles.send("XSETID", logOf(name), `${offset! - 1}-${epoch}`);
    await handles.send("HSET", metaOf(name), "head", "3", "at", String(at! + 5));
    await topic.publish(33);
    const gaps: TopicGap[] = [];
    await using stream = topic.messages({ from: position, onGap: (gap) => void gaps.push(gap) });
    expect(payloads(await take(stream, 1))).toEqual([33]);
    expect(gaps).toMatchObject([{ kind: "reset" }]);
  });

  it("an evicted `meta` changes nothing", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name);
    const { position } = (await topic.publish(0)) as { position: string };
    await topic.publish(1);
    await handles.send("DEL", metaOf(name));
    const gaps: TopicGap[] = [];
    await using stream = topic.messages({ from: position, onGap: (gap) => void gaps.push(gap) });
    expect(payloads(await take(stream, 1))).toEqual([1]);
    expect(await topic.publish(2)).toMatchObject({ status: "ok", offset: 3 });
    expect(payloads(await take(stream, 1))).toEqual([2]);
    await handles.send("DEL", metaOf(name));
    await using now = topic.messages();
    await now.ready;
    await topic.publish(3);
    expect(payloads(await take(now, 1))).toEqual([3]);
    expect(gaps).toEqual([]);
  });

  it("readers of one handle share one subscription, and the last leaves the server", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name);
    const live = `${handles.prefix}:topic:{${name}}:live`;
    const listening = (): Promise<number> => handles.send("SPUBLISH", live, "nothing of ours") as Promise<number>;
    const streams = numbers(50).map(() => topic.messages());
    await Promise.all(streams.map((stream) => stream.ready));
    expect(await listening()).toBe(1);
    await topic.publish(7);
    for (const stream of streams) expect(payloads(await take(stream, 1))).toEqual([7]);
    await Promise.all(streams.map((stream) => stream.close()));
    await expect.poll(listening).toBe(0);
  });

  it("a message larger than what goes by the live channel, and many of them, arrive all the same", async () => {
    const topic = handles.a.topic<string>(randomName());
    await using stream = topic.messages();
    await stream.ready;
    const texts = numbers(60).map((each) => String(each).repeat(each * 200 + 1));
    for (const text of texts) await topic.publish(text);
    expect(payloads(await take(stream, 60))).toEqual(texts);
  });

  it("large messages behind tiny ones are not read at once, and none is missed", async () => {
    const topic = handles.a.topic<string>(randomName());
    for (const each of numbers(100)) await topic.publish(String(each));
    const large = numbers(40).map((each) => String(each).repeat(50_000));
    for (const each of large) await topic.publish(each);
    const { packs } = await Topic.sourceOf(topic).store(0, "test").look(90, 512);
    expect(packs.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(2_500_000);
    expect(packs[0]).toMatchObject({ first: 90 });
    await using stream = topic.messages({ from: "start" });
    expect(payloads(await take(stream, 140))).toEqual([...numbers(100).map(String), ...large]);
  });

  it("a slow reader keeps nothing: it reads the log when it goes on", async () => {
    const topic = handles.a.topic<number>(randomName());
    await using slow = topic.messages();
    await slow.ready;
    for (let at = 0; at < 560; at += 2) await Promise.all(numbers(2, at).map((each) => topic.publish(each)));
    expect(payloads(await take(slow, 560))).toEqual(numbers(560));
  });

  it.each(["signal", "close", "return", "dispose", "end of the handle"])("ends without an error by %s", async (by) => {
    const own = await handles.another();
    const controller = new AbortController();
    const stream = own.topic<number>(randomName()).messages({ signal: controller.signal });
    await stream.ready;
    const waiting = stream.next();
    if (by === "signal") controller.abort();
    else if (by === "close") await stream.close();
    else if (by === "return") await stream.return();
    else if (by === "dispose") await stream[Symbol.asyncDispose]();
    else await own.close();
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    await own.close();
  });

  it("one that could not begin says so once, and reads nothing any more", async () => {
    const name = randomName();
    await handles.send("SET", `${handles.prefix}:topic:{${name}%p1}:meta`, "no hash");
    const stream = handles.a.topic<number>(name, { partitions: 2 }).messages();
    await expect(stream.next()).rejects.toMatchObject({ code: expect.any(String) });
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    const listening = (): unknown => handles.send("SPUBLISH", `${handles.prefix}:topic:{${name}}:live`, "nothing");
    await expect.poll(listening).toBe(0);
  });

  it("bad input is refused at the door", () => {
    const topic = handles.a.topic<number>("orders", { partitions: 2 });
    const refused: [object, string][] = [
      [{ from: "later" }, "from"],
      [{ from: "1.2.3.4" }, "from"],
      [{ from: 5 }, "from"],
      [{ from: { time: "x" } }, "from.time"],
      [{ key: "" }, "key"],
      [{ filter: 1 }, "filter"],
      [{ onGap: 1 }, "onGap"],
      [{ onError: {} }, "onError"],
      [{ signal: {} }, "signal"],
      [{ form: "start" }, "form"],
    ];
    for (const [given, field] of refused)
      expect(() => topic.messages(given)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", field }));
  });
});
