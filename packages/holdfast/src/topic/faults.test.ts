/**
 * What could go wrong on real connections, and the test for each:
 * - a lost answer, or request, repeats or loses messages .............. "whose answer was lost", "that was lost"
 * - a copy that arrives late is appended ................................ "a late copy"
 * - a reader misses or repeats what came while it was cut off ......... "goes on where it was"
 * - a flushed server is taken for one without news ..................... "a flushed server"
 * - a server without memory has half a message .......................... "memory is full"
 * - a backlog costs a round trip for every few messages ................. "a backlog"
 * - calls hang while the server is away ................................. "is away"
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { losingAnswer, losingRequest } from "../../test/support/lost-answer.ts";
import { REFUSALS } from "../../test/support/refusals.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { connect } from "../connect.ts";
import { append } from "../core/log/scripts.gen.ts";
import { runScript } from "../core/script/run.ts";
import type { Holdfast } from "../holdfast.ts";
import type { TopicStream } from "./read/stream.ts";
import type { TopicGap } from "./subscription.ts";
import { Topic } from "./topic.ts";

async function take<T>(stream: TopicStream<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) taken.push((await stream.next()).value!.payload);
  return taken;
}

describe("topics under faults", () => {
  const prefix = randomName();
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;

  beforeAll(async () => {
    server = await startStandalone({ config: { "enable-protected-configs": "local" } });
    proxy = await startProxy(server);
    const options = { prefix, timeout: "30s", pingInterval: "100ms", pingTimeout: "300ms" } as const;
    [hf, direct] = await Promise.all([connect(proxy.url, options), connect(server.url, { prefix })]);
  });
  afterEach(async () => {
    server.resume();
    await proxy.heal();
    for (const refusal of REFUSALS) await refusal.end(server);
  });
  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  const all = async (name: string): Promise<unknown[]> =>
    (await direct.topic(name).page({ limit: 1_000 })).messages.map(({ payload }) => payload);

  it.each([undefined, "id"])("a message whose answer was lost is there once (id: %s)", async (id) => {
    const topic = hf.topic<number>(randomName());
    await topic.publish(0);
    const later: Promise<unknown>[] = [];
    const options = id === undefined ? undefined : { id };
    const results = await losingAnswer(
      proxy,
      append,
      () => Promise.all([topic.publish(1), topic.publish(2, options)]),
      async () => void later.push(topic.publish(3)),
    );
    await Promise.all(later);
    expect(results).toMatchObject([
      { status: "ok", offset: 2 },
      { status: "ok", offset: 3 },
    ]);
    expect(await all(topic.name)).toEqual([0, 1, 2, 3]);
  });

  it("a message whose request was lost is there once, in front of what was published after it", async () => {
    const topic = hf.topic<number>(randomName());
    await topic.publish(0);
    const later: Promise<unknown>[] = [];
    const result = await losingRequest(
      proxy,
      append,
      () => topic.publish(1),
      async () => void later.push(topic.publish(2)),
    );
    await Promise.all(later);
    expect(result).toMatchObject({ status: "ok", offset: 2 });
    expect(await all(topic.name)).toEqual([0, 1, 2]);
  });

  it("a late copy is not appended, and a repetition is answered like the first time", async () => {
    const topic = direct.topic<number>(randomName());
    const { log, meta, live, cursors } = Topic.sourceOf(topic).logs[0]!;
    const sent = (number: number): ReturnType<typeof runScript<unknown, unknown, unknown>> => {
      const retention = { keepMs: 60_000, maxMessages: 100, keepUnread: false, refuses: false, dedupeMs: 60_000 };
      const args = { producer: "p", number, ...retention, liveBytes: 100, count: 1, frames: ["\u0002\u00001"] };
      return runScript(direct.driver, append, { log, meta, live, cursors, ids: [] }, args, { op: "test" });
    };
    const first = await sent(1);
    expect(first).toMatchObject({ status: "ok", first: 1 });
    expect(await sent(1)).toEqual(first);
    expect(await sent(2)).toMatchObject({ status: "ok", first: 2 });
    expect(await sent(1)).toEqual({ status: "late" });
    expect((await topic.info()).messages).toBe(2);
  });

  it.each(["cut", "halfOpen"] as const)(
    "a reader goes on where it was after its connection was lost (%s)",
    async (fault) => {
      const name = randomName();
      const topic = direct.topic<number>(name);
      const gaps: TopicGap[] = [];
      await using stream = hf.topic<number>(name).messages({ onGap: (gap) => void gaps.push(gap) });
      await stream.ready;
      await topic.publish(1);
      expect(await take(stream, 1)).toEqual([1]);
      const later = take(stream, 4);
      proxy[fault]();
      await topic.publish(2);
      await topic.publishMany([{ message: 3 }, { message: 4 }]);
      await proxy.heal();
      await topic.publish(5);
      expect(await later).toEqual([2, 3, 4, 5]);
      expect(gaps).toEqual([]);
    },
  );

  it("a reader that starts while the server does not answer waits for it", async () => {
    const name = randomName();
    await direct.topic<number>(name).publish(1);
    await server.pause();
    await using stream = hf.topic<number>(name).messages({ from: "start" });
    const first = take(stream, 1);
    server.resume();
    expect(await first).toEqual([1]);
  });

  it("a flushed server is a reset, for a reader that waits and for one that comes back", async () => {
    const topic = hf.topic<number>(randomName());
    const gaps: TopicGap[] = [];
    const { position } = (await topic.publish(1)) as { position: string };
    await topic.publish(2);
    await using stream = topic.messages({ from: position, onGap: (gap) => void gaps.push(gap) });
    expect(await take(stream, 1)).toEqual([2]);
    await server.command("FLUSHALL");
    await topic.publish(3);
    expect(await take(stream, 1)).toEqual([3]);
    expect(gaps).toMatchObject([{ kind: "reset" }]);
    await using again = topic.messages({ from: position, onGap: (gap) => void gaps.push(gap) });
    expect(await take(again, 1)).toEqual([3]);
    expect(gaps).toHaveLength(2);
  });

  it.each(REFUSALS)(
    "nothing is written while the server takes no writes ($name), and offsets go on",
    async (refusal) => {
      const topic = direct.topic<number>(randomName());
      await topic.publish(1);
      await refusal.begin(server);
      const failed = topic.publish(2, { id: "two" });
      await expect(failed).rejects.toMatchObject({ code: refusal.code });
      await refusal.end(server);
      expect(await topic.publish(2, { id: "two" })).toMatchObject({ status: "ok", offset: 2 });
      expect(await all(topic.name)).toEqual([1, 2]);
    },
  );

  it("publish rejects by its deadline while the server is away, and what waits behind it too", async () => {
    const topic = direct.topic<number>(randomName(), { timeout: "300ms" });
    await topic.publish(1);
    await server.pause();
    const outcomes = await Promise.allSettled([
      topic.publish(2),
      Promise.resolve().then(() => topic.publish(3, { key: "k" })),
    ]);
    expect(outcomes).toMatchObject([
      { status: "rejected", reason: { code: "OUTCOME_UNKNOWN" } },
      { status: "rejected", reason: { op: "topic.publish" } },
    ]);
    server.resume();
    expect(await topic.publish(4)).toMatchObject({ status: "ok" });
    const seen = await all(topic.name);
    expect([seen[0], seen.at(-1)]).toEqual([1, 4]);
  });

  it("a backlog of messages that were published one by one is read in few round trips", async () => {
    const topic = direct.topic<number>(randomName());
    for (let at = 0; at < 400; at += 1) await topic.publish(at);
    await server.command("CONFIG", "RESETSTAT");
    await using stream = topic.messages({ from: "start" });
    expect(await take(stream, 400)).toEqual(Array.from({ length: 400 }, (_, at) => at));
    const stats = String(await server.command("INFO", "commandstats"));
    // One for each look at the log, with its packs.
    expect(Number(/cmdstat_hmget:calls=(\d+)/.exec(stats)![1])).toBeLessThan(10);
  });

  it("what was published before the handle closes is there", async () => {
    const own = await connect(server.url, { prefix });
    const topic = own.topic<number>(randomName());
    const results = [0, 1, 2].map((each) => topic.publish(each));
    await Promise.resolve();
    const closing = own.close();
    expect(await Promise.all(results)).toMatchObject([{ offset: 1 }, { offset: 2 }, { offset: 3 }]);
    await closing;
    expect(await all(topic.name)).toEqual([0, 1, 2]);
  });
});
