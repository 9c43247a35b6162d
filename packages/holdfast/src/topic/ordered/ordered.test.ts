// What could go wrong, and the test for each:
// - a message is not handled, or one of before the beginning is ... "handles what is published from when it is ready", "begins at the start"
// - messages of one key overlap, or change places .......... "one after the other"
// - other keys wait for a failing one ..................... "only its key waits"
// - a member that comes gets nothing; one that leaves takes what is in work along ... "shares the partitions", "leaves"
// - a process that was given back its member's place waits for the lease ... "gets its partitions back at once"
// - what was finished is delivered again after a close .... "goes on where it was"
// - one that begins after the end hangs, or kills the process ... "of a handle that is closed"
// - a subscription's name is used with bad options ........ "bad input"
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import type { TopicMessage } from "../message.ts";

describe.each(backends())("ordered subscriptions [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it("handles what is published from when it is ready, and says what there is to say of it", async () => {
    const topic = handles.a.topic<number>(randomName(), { partitions: 3 });
    await topic.publish(0, { key: "before" });
    const seen: (readonly [TopicMessage<number>, number, number])[] = [];
    await using subscription = topic.subscribe("all", (message, { fence, delivery }) => {
      seen.push([message, fence, delivery]);
    });
    await subscription.ready();
    await Promise.all(
      [1, 2, 3].map((message) => topic.publish(message, { key: `k${message}`, headers: { n: String(message) } })),
    );
    await until("three messages", () => seen.length === 3);
    expect(seen.map(([{ payload }]) => payload).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    for (const [{ payload, key, headers }, fence, delivery] of seen) {
      expect([key, { ...headers }, delivery]).toEqual([`k${payload}`, { n: String(payload) }, 1]);
      expect(fence).toBeGreaterThan(1e15);
    }
    expect(subscription.stats()).toEqual({ handled: 3, failed: 0, dead: 0, skipped: 0, running: 0 });
  });

  it("messages of one key are handled one after the other, in their order, keys side by side", async () => {
    const topic = handles.a.topic<number>(randomName());
    const open = new Map<string, number>();
    const last = new Map<string, number>();
    let most = 0;
    let count = 0;
    await using subscription = topic.subscribe(
      "all",
      async ({ key, payload }) => {
        expect(open.get(key!)).toBeUndefined();
        expect(payload).toBeGreaterThan(last.get(key!) ?? -1);
        open.set(key!, payload);
        most = Math.max(most, open.size);
        await new Promise((resolve) => setImmediate(resolve));
        last.set(key!, payload);
        open.delete(key!);
        count += 1;
      },
      { start: "start", concurrency: 4 },
    );
    for (let at = 0; at < 200; at += 1) void topic.publish(at, { key: `k${at % 7}` });
    await until("all", () => count === 200);
    expect(most).toBe(4);
    expect(subscription.stats().failed).toBe(0);
  });

  it("a message that fails is delivered again after its back-off, and only its key waits for it", async () => {
    const topic = handles.a.topic<string>(randomName());
    const seen: string[] = [];
    const others = new Deferred<void>();
    await using subscription = topic.subscribe(
      "all",
      async ({ key, payload }, { delivery }) => {
        seen.push(`${payload}.${delivery}`);
        if (key === "bad" && delivery === 1 && payload === "a") {
          void others.promise.then(() => seen.push("others"));
          throw new Error("not yet");
        }
        if (payload === "z") others.resolve();
      },
      { start: "start", backoff: { type: "fixed", delay: 300, jitter: 0 } },
    );
    for (const payload of ["a", "b"]) void topic.publish(payload, { key: "bad" });
    for (const payload of ["x", "y", "z"]) void topic.publish(payload, { key: "good" });
    await until("the bad key", () => seen.includes("b.1"));
    expect(seen).toEqual(["a.1", "x.1", "y.1", "z.1", "others", "a.2", "b.1"]);
    expect(subscription.stats()).toMatchObject({ handled: 5, failed: 1 });
  });

  it("members share the partitions; one that leaves finishes what it has in work, and commits", async () => {
    const name = randomName();
    const topic = handles.a.topic<number>(name, { partitions: 4 });
    const seen: { payload: number; by: string; delivery: number }[] = [];
    const join = (by: string, hf = handles.a) =>
      hf.topic<number>(name, { partitions: 4 }).subscribe(
        "all",
        async ({ payload }, { delivery }) => {
          await new Promise((resolve) => setImmediate(resolve));
          seen.push({ payload, by, delivery });
        },
        { start: "start", id: by },
      );
    const a = join("a");
    await a.ready();
    const publish = (from: number, to: number) =>
      topic.publishMany(Array.from({ length: to - from }, (_, at) => ({ message: from + at, key: `k${at}` })));
    await publish(0, 40);
    await until("all by a", () => seen.length === 40);
    const b = join("b", handles.b);
    await b.ready();
    await until("b has messages", async () => {
      await publish(100, 108);
      return seen.some(({ by }) => by === "b");
    });
    const others = publish(200, 240);
    await a.close();
    await others;
    const count = seen.length;
    await publish(300, 340);
    await until("all by b", () => seen.filter(({ payload }) => payload >= 300).length === 40 && count > 0);
    await b.close();
    expect(seen.filter(({ payload, by }) => payload >= 300 && by === "a")).toEqual([]);
    // Nothing twice: each has committed before it gave its partitions back.
    const published = seen.filter(({ payload }) => payload < 100 || payload >= 200).map(({ payload }) => payload);
    expect(published.toSorted((x, y) => x - y)).toEqual([...new Set(published)].toSorted((x, y) => x - y));
    expect(published.length).toBe(120);
  });

  it("goes on where it was, also in another process", async () => {
    const name = randomName();
    const seen: number[] = [];
    const topic = handles.a.topic<number>(name);
    await topic.publishMany([1, 2, 3].map((message) => ({ message })));
    const first = topic.subscribe("all", ({ payload }) => void seen.push(payload), { start: "start", concurrency: 1 });
    await until("three", () => seen.length === 3);
    await first.close();
    await first.ended;
    expect(first.signal.aborted).toBe(true);
    await topic.publish(4);
    await using _ = handles.b.topic<number>(name).subscribe("all", ({ payload }) => void seen.push(payload));
    await until("four", () => seen.length === 4);
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  it("says how far it is behind; is paused, and moved to where it is asked to", async () => {
    const topic = handles.a.topic<number>(randomName());
    const seen: number[] = [];
    await using subscription = topic.subscribe("all", ({ payload }) => void seen.push(payload), { concurrency: 1 });
    await subscription.ready();
    await subscription.pause();
    const published = await topic.publishMany([1, 2, 3, 4].map((message) => ({ message })));
    const lag = await subscription.lag();
    expect(lag).toMatchObject({ messages: 4, partitions: [{ partition: 0, committed: 0, head: 4, messages: 4 }] });
    expect(lag.oldestAgeMs).toBeGreaterThanOrEqual(0);
    expect(seen).toEqual([]);
    subscription.resume();
    await until("all", async () => (await topic.subscriptions.lag("all"))!.messages === 0);
    await subscription.seek("start");
    await until("all again", () => seen.length === 8);
    await subscription.seek({ partition: 0, offset: 2 });
    await until("two again", () => seen.length === 10);
    const third = published[2]!;
    await subscription.seek({ position: third.status === "ok" ? third.position : "" });
    await until("one again", () => seen.length === 11);
    await subscription.seek({ time: 0 });
    await until("by time", () => seen.length === 15);
    expect(seen).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 3, 4, 4, 1, 2, 3, 4]);
    await until("committed", async () => (await subscription.lag()).messages === 0);
    expect(await subscription.lag()).toMatchObject({ messages: 0, oldestAgeMs: undefined });
    await subscription.seek("end");
    await topic.publish(5);
    // Twice where it came before its owner was woken: what is in flight at a seek does not count.
    await until("the new one", () => seen.length >= 16);
    expect(new Set(seen.slice(15))).toEqual(new Set([5]));
  });

  it("what a filter refuses is not decoded, and counts as done", async () => {
    const topic = handles.a.topic<number>(randomName());
    const seen: number[] = [];
    await using subscription = topic.subscribe("all", ({ payload }) => void seen.push(payload), {
      start: "start",
      filter: ({ key, headers }) => key === "yes" && headers["kind"] !== "odd",
    });
    await topic.publishMany([
      { message: 1, key: "yes" },
      { message: 2, key: "no" },
      { message: 3, key: "yes", headers: { kind: "odd" } },
      { message: 4, key: "yes" },
      { message: 5 },
    ]);
    await until("committed", async () => (await subscription.lag()).messages === 0);
    expect(seen).toEqual([1, 4]);
    expect(subscription.stats()).toMatchObject({ handled: 2, skipped: 3 });
  });

  it("a handler of several gets what there is of a partition; one that fails is delivered again alone", async () => {
    const topic = handles.a.topic<number>(randomName());
    const calls: number[][] = [];
    await topic.publishMany(Array.from({ length: 10 }, (_, message) => ({ message, key: `k${message % 3}` })));
    await using subscription = topic.subscribeMany(
      "all",
      (messages) => {
        calls.push(messages.map(({ payload }) => payload));
        if (messages.some(({ payload }) => payload === 4) && calls.length < 3) throw new Error("four");
      },
      { start: "start", size: 4, backoff: { delay: 10 } },
    );
    await until("all", () => subscription.stats().handled === 10);
    expect(calls[0]).toHaveLength(4);
    const done = calls.flat();
    for (const key of [0, 1, 2]) {
      const last = done.filter((payload) => payload % 3 === key);
      expect([...new Set(last)].toSorted((a, b) => a - b)).toEqual([...new Set(last)]);
    }
    await until("committed", async () => (await subscription.lag()).messages === 0);
  });

  it("a process of the same member gets its partitions back at once; the one before is ended", async () => {
    const name = randomName();
    const seen: string[] = [];
    const join = (by: string, hf = handles.a) =>
      hf
        .topic<number>(name)
        .subscribe("all", ({ payload }) => void seen.push(`${by}${payload}`), { id: "one", lease: "1h" });
    const before = join("a");
    await before.ready();
    await handles.a.topic<number>(name).publish(1);
    await until("one", async () => (await before.lag()).messages === 0);
    const after = join("b", handles.b);
    await before.ended;
    expect(before.signal.reason).toMatchObject({ code: "CONFLICT" });
    await handles.a.topic<number>(name).publish(2);
    await until("two", () => seen.length === 2);
    expect(seen).toEqual(["a1", "b2"]);
    await after.close();
  });

  it("removed: its members end, and its name is free", async () => {
    const topic = handles.a.topic<number>(randomName());
    const subscription = topic.subscribe("all", () => undefined);
    await subscription.ready();
    expect(await topic.subscriptions.list()).toEqual([{ name: "all", kind: "ordered" }]);
    expect(await topic.subscriptions.remove("all")).toBe(true);
    await subscription.ended;
    expect(subscription.signal.reason).toMatchObject({ message: expect.stringContaining("removed") });
    expect(await topic.subscriptions.remove("all")).toBe(false);
    expect(await topic.subscriptions.list()).toEqual([]);
    expect(await topic.subscriptions.lag("all")).toBeUndefined();
    await using again = topic.subscribe("all", () => undefined);
    await again.ready();
  });

  it("of a handle that is closed it has ended", async () => {
    const own = await handles.another();
    await own.close();
    const subscription = own.topic<number>(randomName()).subscribe("all", () => undefined);
    await expect(subscription.ready()).rejects.toMatchObject({ code: "CLOSED" });
    await subscription.ended;
    await subscription.close();
  });

  it("bad input is refused at the door, in the name of the topic", () => {
    const topic = handles.a.topic<number>("orders");
    const handler = (): void => undefined;
    expect(() => topic.subscribe("", handler)).toThrow('topic "orders": name: expected a non-empty');
    expect(() => topic.subscribe("x", undefined as never)).toThrow('topic "orders": handler: expected a function');
    expect(() => topic.subscribe("x", handler, { start: "now" as never })).toThrow('topic "orders": start: expected');
    expect(() => topic.subscribe("x", handler, { concurency: 1 } as never)).toThrow('did you mean "concurrency"');
    expect(() => topic.subscribe("x", handler, { lease: 10 })).toThrow(
      "lease: expected a duration of at least 1000 ms",
    );
    expect(() => topic.subscribeMany("x", handler, { size: 0 })).toThrow("size: expected a whole number from 1");
    const delayed = handles.a.topic<number>("later", { delays: true });
    expect(() => delayed.subscribe("x", handler)).toThrow('kind: expected "shared"');
  });
});
