/**
 * Channels as async iterators. What could go wrong, and the test for each:
 * - what is published after `ready` is missed, or comes out of order ... "in their order", "a burst", "calls of next()"
 * - a slow consumer fills the memory, or loses without a word .......... "a slow consumer", "onOverflow error"
 * - one bad message ends it ............................................ "cannot be decoded"
 * - an end is an error, or leaves something on the server .............. "ended before it was ready", "of a closed handle"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Inbox } from "../../test/conformance/support.ts";
import { backends } from "../../test/support/backends.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import { ClosedError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Channel } from "./channel.ts";
import type { ChannelStream } from "./stream.ts";

async function collect<T>(stream: AsyncIterable<T>, isLast: (item: T) => boolean = () => false): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) {
    items.push(item);
    if (isLast(item)) break;
  }
  return items;
}

describe.each(backends())("message streams [$name]", ({ url, options }) => {
  const prefix = `t${randomUUID()}`;
  let hf: Holdfast;

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix });
  });
  afterAll(() => hf.close());

  /** Sharded, because `publish` then reports whether anybody listens in a cluster too. */
  const channel = (): Channel<number> => hf.channel<number>(randomUUID(), { sharded: true });

  async function opened<I>(stream: ChannelStream<number, I>): Promise<ChannelStream<number, I>> {
    await stream.ready;
    return stream;
  }

  it("yields messages in their order, from `ready` on, and `break` leaves the server", async () => {
    const board = channel();
    const stream = await opened(board.messages());
    for (const message of [1, 2, 3]) await board.publish(message);
    expect(await collect(stream, (message) => message === 3)).toEqual([1, 2, 3]);
    expect(await board.publish(4)).toBe(0);
    expect(await stream.next()).toEqual({ value: undefined, done: true });
  });

  it("a burst of 5000 messages is not too much for a consumer that keeps up", async () => {
    const board = channel();
    let dropped = 0;
    const stream = await opened(board.messages({ onGap: (gap) => (dropped += gap.dropped) }));
    const [seen] = await Promise.all([
      collect(stream, (message) => message === 4999),
      Promise.all(Array.from({ length: 5000 }, (_, at) => board.publish(at))),
    ]);
    expect(dropped).toBe(0);
    expect(seen).toEqual(Array.from({ length: 5000 }, (_, at) => at));
  });

  it("of a pattern: each message with its channel", async () => {
    const head = randomUUID();
    const stream = hf.channels<number>(`${head}.*`).messages();
    await stream.ready;
    await hf.channel<number>(`${head}.a`).publish(1);
    await hf.channel<number>(`${head}.b`).publish(2);
    const seen = await collect(stream, ({ message }) => message === 2);
    // Two channels are two orders: in a cluster their messages come by different nodes.
    expect(seen).toContainEqual({ channel: `${head}.b`, message: 2 });
    for (const item of seen) expect(item.channel).toBe(`${head}.${item.message === 1 ? "a" : "b"}`);
  });

  it("calls of next() that do not wait for each other get the messages in order", async () => {
    const board = channel();
    await using stream = await opened(board.messages());
    const asked = [stream.next(), stream.next(), stream.next()];
    for (const message of [1, 2, 3]) await board.publish(message);
    expect((await Promise.all(asked)).map(({ value }) => value)).toEqual([1, 2, 3]);
  });

  it("a slow consumer: the gap is told at its place, before the next message is given", async () => {
    const board = channel();
    const log: unknown[] = [];
    const arrived = new Inbox<number>();
    const stream = await opened(
      board.messages({ capacity: 2, onGap: async ({ dropped }) => log.push(`${dropped} dropped`) }),
    );
    await using _ = await board.subscribe(arrived.put);
    for (const message of [1, 2, 3, 4]) await board.publish(message);
    await arrived.find((message) => message === 4);
    for await (const message of stream) {
      log.push(message);
      if (message === 4) break;
    }
    expect(log).toEqual(["2 dropped", 3, 4]);
  });

  it("onOverflow error: what had come, then the error, then the end", async () => {
    const board = channel();
    const stream = await opened(board.messages({ capacity: 2, onOverflow: "error" }));
    const arrived = new Inbox<number>();
    await using _ = await board.subscribe(arrived.put);
    for (const message of [1, 2, 3]) await board.publish(message);
    await arrived.find((message) => message === 3);
    expect((await stream.next()).value).toBe(1);
    expect((await stream.next()).value).toBe(2);
    await expect(stream.next()).rejects.toMatchObject({ code: "OVERLOADED" });
    expect((await stream.next()).done).toBe(true);
  });

  it("what cannot be decoded is reported and passed over", async () => {
    const name = randomUUID();
    const reported: string[] = [];
    const stream = hf.channel<number>(name).messages({
      onError: (_error, message) => reported.push(message!.payload.toString()),
    });
    await stream.ready;
    const fullName = `${prefix}:channel:${name}`;
    await hf.driver.send(["PUBLISH", fullName, "junk"], { op: "test", class: "unsafe" }, fullName);
    await hf.channel<number>(name).publish(1);
    expect(await collect(stream, (message) => message === 1)).toEqual([1]);
    expect(reported).toEqual(["junk"]);
  });

  it.each(["signal", "close", "return", "dispose", "end of the handle"])("ends without an error by %s", async (by) => {
    const own = await connect(url, { ...options, prefix });
    const controller = new AbortController();
    const stream = own.channel<number>(randomUUID(), { sharded: true }).messages({ signal: controller.signal });
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

  it("ended before it was ready: nothing is left on the server", async () => {
    const board = channel();
    const stream = board.messages();
    await stream.close();
    await stream.ready;
    expect((await stream.next()).done).toBe(true);
    // What was under way is undone when it has come about.
    await until("nobody listens", async () => (await board.publish(1)) === 0);
    expect(await collect(board.messages({ signal: AbortSignal.abort() }))).toEqual([]);
  });

  it("of a closed handle: the first next() rejects", async () => {
    const own = await connect(url, { ...options, prefix });
    await own.close();
    const stream = own.channel("x").messages();
    await expect(stream.ready).rejects.toBeInstanceOf(ClosedError);
    await expect(stream.next()).rejects.toBeInstanceOf(ClosedError);
    expect((await stream.next()).done).toBe(true);
  });
});
