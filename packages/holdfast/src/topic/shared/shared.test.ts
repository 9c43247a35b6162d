/**
 * What could go wrong, and the test for each:
 * - a message is handled by two consumers, or by none ............ "each message is handled once, by one of the consumers"
 * - a failing one is lost, comes back at once, or for ever ....... "a message that fails is delivered again, later, and is dead in the end"
 * - a back-off of one's own is not kept .......................... "a list of delays"
 * - a delay has no room in what is stored ....................... "more than a year"
 * - what a handler asks for is not done .......................... "retry and reject"
 * - a slow handler's message is given to another ................. "a message is with one consumer as long as its handler runs"
 * - delayed messages come early, those that are over at all ...... "delay and ttl"
 * - the filter decodes, or leaves what it refuses ................ "what the filter refuses counts as handled, and is not decoded"
 * - what cannot be decoded blocks the others, or is lost ......... "what cannot be decoded is dead at once"
 * - a consumer that closes keeps what it has not begun ........... "a consumer that closes leaves to others what it has not begun"
 * - it gives that back only when its handlers have ended ......... "at once, while a handler runs"
 * - what a claim brings while it closes is stranded .............. "a claim that is under way"
 * - close while it begins leaves something behind ................ "closed before it has begun"
 * - a message is handled when its ttl is over .................... "whose ttl ends while it waits"
 * - an onError that rejects ends the process ..................... "an onError that fails"
 * - a handler that closes waits for itself ....................... "a handler may close its own subscription"
 * - a paused one goes on, or keeps messages from others .......... "pause"
 * - seek delivers what is in flight twice as valid ............... "seek", "replays"
 * - redriven letters go to other subscriptions ................... "dead letters are redriven to their subscription alone"
 * - lag is not true .............................................. "lag"
 * - a batch is not one call, or fails as a whole ................. "many at a time"
 * - idle consumers ask all the time .............................. "asks about once a poll"
 * - a name is used for both kinds, options are wrong ............. "refuses"
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { TopicMessage } from "../message.ts";
import type { TopicOptions } from "../options.ts";
import type { TopicSubscription } from "../subscription.ts";
import type { Topic } from "../topic.ts";
import type { TopicSharedOptions } from "./options.ts";
import { SharedStore } from "./store.ts";

/** A subscription that tests begin with: nothing waits for long. */
const START = { kind: "shared", start: "start", backoff: { type: "fixed", delay: 20 }, poll: "1s" } as const;

describe.each(backends())("shared subscriptions [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(() => {
    ({ a, b } = handles);
  });

  function topics(options?: TopicOptions<number>): { name: string; mine: Topic<number>; theirs: Topic<number> } {
    const name = randomName();
    return { name, mine: a.topic<number>(name, options), theirs: b.topic<number>(name, options) };
  }

  const publish = (topic: Topic<number>, count: number, from = 0): Promise<unknown> =>
    topic.publishMany(Array.from({ length: count }, (_, n) => ({ message: from + n })));

  const sorted = (numbers: Iterable<number>): number[] => [...numbers].toSorted((x, y) => x - y);
  const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);
  const settled = async (subscription: TopicSubscription): Promise<void> => {
    await subscription.ready();
    await until("all settled", async () => (await subscription.lag()).messages === 0);
  };

  it("each message is handled once, by one of the consumers, over all partitions", async () => {
    const { mine, theirs } = topics({ partitions: 3 });
    const seen: number[] = [];
    const by = new Set<string>();
    const consume = (topic: Topic<number>, who: string) =>
      topic.subscribe(
        "s",
        (message) => {
          seen.push(message.payload);
          by.add(who);
        },
        { ...START, prefetch: 0, concurrency: 2 },
      );
    await using one = consume(mine, "one");
    await using two = consume(theirs, "two");
    await Promise.all([one.ready(), two.ready()]);
    for (let round = 0; round < 20; round += 1) await publish(mine, 10, round * 10);
    await until("all seen", () => seen.length >= 200);
    await settled(one);
    expect(sorted(seen)).toEqual(range(200));
    await until("both know of it", () => one.stats().handled + two.stats().handled === 200);
  });

  it("begins at the end unless it is to begin elsewhere; every subscription has all messages", async () => {
    const { mine } = topics();
    await publish(mine, 2);
    const seen = { end: [] as number[], start: [] as number[] };
    await using late = mine.subscribe("late", (m) => void seen.end.push(m.payload), { kind: "shared" });
    await late.ready();
    await publish(mine, 1, 2);
    await using early = mine.subscribe("early", (m) => void seen.start.push(m.payload), { ...START });
    await until("both", () => seen.start.length === 3 && seen.end.length === 1);
    expect(sorted(seen.start)).toEqual([0, 1, 2]);
    expect(seen.end).toEqual([2]);
    expect(early.kind).toBe("shared");
  });

  it("a message that fails is delivered again, later, and is dead in the end", async () => {
    const { mine } = topics();
    await publish(mine, 2);
    const deliveries: number[] = [];
    const errors: unknown[] = [];
    const failing = (message: TopicMessage<number>, { delivery }: { delivery: number }): void => {
      if (message.payload === 1) return;
      deliveries.push(delivery);
      throw new RangeError("too far");
    };
    await using subscription = mine.subscribe("s", failing, {
      ...START,
      maxDeliveries: 3,
      onError: (error) => errors.push(error),
    });
    await until("dead", async () => (await mine.dead("s").count()) === 1);
    expect(deliveries).toEqual([1, 2, 3]);
    expect(errors).toHaveLength(3);
    const { letters, cursor } = await mine.dead("s").page();
    expect(cursor).toBeUndefined();
    expect(letters).toMatchObject([
      {
        message: { payload: 0 },
        deliveries: 3,
        reason: "exhausted",
        error: "RangeError: too far",
        partition: 0,
        offset: 1,
      },
    ]);
    await settled(subscription);
    await until("counted", () => subscription.stats().dead === 1);
    expect(subscription.stats()).toMatchObject({ handled: 1, failed: 3, dead: 1, running: 0 });
  });

  it("a list of delays: one after each failure", async () => {
    const { mine } = topics();
    await publish(mine, 1);
    const times: number[] = [];
    const handler = (): void => {
      times.push(performance.now());
      if (times.length < 3) throw new Error("again");
    };
    await using _ = mine.subscribe("s", handler, { ...START, backoff: [1, "300ms"] });
    await until("third", () => times.length === 3);
    expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(299);
  });

  it("retry and reject are done when the handler has ended", async () => {
    const { mine } = topics();
    await publish(mine, 2);
    let deliveries = 0;
    await using _ = mine.subscribe(
      "s",
      (message, context) => {
        if (message.payload === 0) return context.reject("no such address");
        deliveries += 1;
        if (deliveries === 1) context.retry({ delay: 10 });
      },
      { ...START, backoff: { delay: "1h" } },
    );
    await settled(_);
    expect(deliveries).toBe(2);
    expect((await mine.dead("s").page()).letters).toMatchObject([
      { message: { payload: 0 }, deliveries: 1, reason: "rejected", error: "Rejected: no such address" },
    ]);
  });

  it("retry refuses a delay of more than a year, and what a back-off asks beyond that is a year", async () => {
    const { name, mine } = topics();
    await publish(mine, 1);
    let refused: unknown;
    await using _ = mine.subscribe(
      "s",
      (_message, { retry }) => {
        try {
          retry({ delay: "366d" });
        } catch (error) {
          refused = error;
        }
        throw new Error("later");
      },
      { ...START, backoff: () => Number.MAX_SAFE_INTEGER },
    );
    await until("it has failed", () => _.stats().failed === 1);
    expect(refused).toBeInstanceOf(InvalidArgumentError);
    const year = 365 * 86_400_000;
    await until("it is due in a year", async () => {
      const score = await handles.send("ZSCORE", `${handles.prefix}:topic:{${name}}:shared:s`, "1");
      return Math.abs(Number(score) / 2_048 - Date.now() - year) < 3_600_000;
    });
  });

  it("a message is with one consumer as long as its handler runs", async () => {
    const { name, mine, theirs } = topics();
    await publish(mine, 1);
    const end = new Deferred<void>();
    let runs = 0;
    const handler = async (): Promise<void> => {
      runs += 1;
      await end.promise;
    };
    const options: TopicSharedOptions = { ...START, visibility: "3s", poll: 100 };
    await using one = mine.subscribe("s", handler, options);
    await using two = theirs.subscribe("s", handler, options);
    const dueAt = async (): Promise<number | undefined> => {
      const score = await handles.send("ZSCORE", `${handles.prefix}:topic:{${name}}:shared:s`, "1");
      return score === null ? undefined : Number(score) / 2_048;
    };
    const first = await until("claimed", dueAt);
    await until("extended, past its first end", async () => (await dueAt())! > first + 3_100);
    end.resolve();
    await until("handled", () => one.stats().handled + two.stats().handled === 1);
    expect(runs).toBe(1);
  });

  it("delay and ttl: not before, not after", async () => {
    const { mine } = topics({ delays: true });
    const seen: [number, number, number][] = [];
    await mine.publish(1, { delay: 300 });
    await mine.publish(2, { ttl: 1 });
    await mine.publish(3, { ttl: "1h" });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await using subscription = mine.subscribe(
      "s",
      (m, { delivery }) => void seen.push([m.payload, Date.now() - m.publishedAt, delivery]),
      START,
    );
    await settled(subscription);
    expect(sorted(seen.map(([payload]) => payload))).toEqual([1, 3]);
    const [, age, delivery] = seen.find(([payload]) => payload === 1)!;
    expect(age).toBeGreaterThanOrEqual(299);
    expect(delivery).toBe(1);
    expect(subscription.stats()).toMatchObject({ handled: 2, skipped: 1, failed: 0 });
  });

  it("what the filter refuses counts as handled, and is not decoded", async () => {
    const { name, mine } = topics();
    await mine.publish(1, { key: "eu" });
    await mine.publish(2, { headers: { region: "us" } });
    const seen: number[] = [];
    const decoded: unknown[] = [];
    const read = b.topic<number>(name, {
      message: {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value) => (decoded.push(value), { value: value as number }),
        },
      },
    });
    await using subscription = read.subscribe("s", (m) => void seen.push(m.payload), {
      ...START,
      filter: ({ headers }) => headers["region"] === "us",
    });
    await settled(subscription);
    expect(seen).toEqual([2]);
    expect(decoded).toEqual([2]);
    expect(subscription.stats()).toMatchObject({ handled: 1, skipped: 1 });
  });

  it("what cannot be decoded is dead at once", async () => {
    const { name, mine } = topics();
    await publish(mine, 2);
    const strict = b.topic<number>(name, {
      message: {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value) => (value === 0 ? { issues: [{ message: "zero" }] } : { value: value as number }),
        },
      },
    });
    const seen: number[] = [];
    await using _ = strict.subscribe("s", (m) => void seen.push(m.payload), START);
    await settled(_);
    expect(seen).toEqual([1]);
    const { letters } = await strict.dead("s").page();
    expect(letters).toMatchObject([{ reason: "undecodable", message: undefined, offset: 1, deliveries: 1 }]);
    expect((await mine.dead("s").page()).letters).toMatchObject([{ message: { payload: 0 } }]);
  });

  it("a consumer that closes leaves to others what it has not begun, at once and as if it had not had it", async () => {
    const { mine, theirs } = topics();
    await publish(mine, 20);
    const began = new Deferred<void>();
    const end = new Deferred<void>();
    const one = mine.subscribe("s", () => (began.resolve(), end.promise), {
      ...START,
      concurrency: 1,
      visibility: "10m",
      poll: "1h",
    });
    await began.promise;
    const deliveries: number[] = [];
    await using two = theirs.subscribe("s", (_, { delivery }) => void deliveries.push(delivery), {
      ...START,
      poll: "1h",
    });
    await two.ready();
    const closed = one.close();
    end.resolve();
    await closed;
    await until("all", () => one.stats().handled + deliveries.length === 20);
    expect(new Set(deliveries)).toEqual(new Set([1]));
    expect(one.signal.aborted).toBe(true);
  });

  it("gives the rest back at once, while a handler runs", async () => {
    const { mine, theirs } = topics();
    await publish(mine, 20);
    const [began, end] = [new Deferred<void>(), new Deferred<void>()];
    const options = { ...START, concurrency: 1, visibility: "10m", poll: "1h" } as const;
    const one = mine.subscribe("s", () => (began.resolve(), end.promise), options);
    await began.promise;
    const closed = one.close();
    let handled = 0;
    await using two = theirs.subscribe("s", () => void (handled += 1), { ...START, poll: "1h" });
    await until("the others", () => handled === 19);
    end.resolve();
    await closed;
    await until("all are settled", () => one.stats().handled + two.stats().handled === 20);
    expect(handled).toBe(19);
  });

  it("gives back what a claim brings that is under way when it is closed, before the handle ends", async () => {
    const { name, theirs } = topics();
    const hf = await handles.another();
    const options = { ...START, visibility: "10m", poll: "1h" } as const;
    const one = hf.topic<number>(name).subscribe("s", () => undefined, options);
    await one.ready();
    const [claimed, answer] = [new Deferred<void>(), new Deferred<void>()];
    const claim = Reflect.get(SharedStore.prototype, "claim");
    const held = vi.spyOn(SharedStore.prototype, "claim").mockImplementation(async function (this: SharedStore, terms) {
      const result = await claim.call(this, terms);
      if (result.count > 0) {
        claimed.resolve();
        await answer.promise;
      }
      return result;
    });
    await publish(theirs, 1);
    await claimed.promise;
    held.mockRestore();
    const closed = one.close().then(() => hf.close());
    await theirs.info();
    answer.resolve();
    await closed;
    const delivery = new Deferred<number>();
    await using _ = theirs.subscribe("s", (__, context) => delivery.resolve(context.delivery), options);
    expect(await delivery.promise).toBe(1);
  });

  it("closed before it has begun, it leaves nothing that listens", async () => {
    const { name, mine } = topics();
    for (let round = 0; round < 5; round += 1) {
      const subscription = mine.subscribe("s", () => undefined, START);
      await Promise.all(Array.from({ length: round }, () => mine.info()));
      await subscription.close();
    }
    const last = mine.subscribe("s", () => undefined, START);
    await last.ready();
    await last.close();
    const channel = `${handles.prefix}:topic:{${name}}:live`;
    const listeners = () =>
      a.driver.send(["PUBSUB", "SHARDNUMSUB", channel], { op: "test", class: "read" }, channel) as Promise<unknown[]>;
    await until("nobody listens", async () => Number((await listeners())[1]) === 0);
    expect(last.signal.aborted).toBe(true);
  });

  it("does not begin with a message whose ttl ends while it waits for a handler", async () => {
    const { mine } = topics({ delays: true });
    await mine.publish(1);
    await mine.publish(2, { ttl: "1s" });
    const seen: number[] = [];
    await using subscription = mine.subscribe(
      "s",
      async (message) => {
        seen.push(message.payload);
        if (message.payload !== 1) return;
        await until("it is over", () => Date.now() > message.publishedAt + 1_500);
      },
      { ...START, concurrency: 1 },
    );
    await settled(subscription);
    expect(seen).toEqual([1]);
    expect(subscription.stats()).toMatchObject({ handled: 1, skipped: 1 });
  });

  it("an onError that fails, at once or later, changes nothing", async () => {
    const { mine } = topics();
    await publish(mine, 2);
    const onError = (thrown: unknown): never => {
      if ((thrown as Error).message === "0") throw new Error("at once");
      return Promise.reject(new Error("later")) as never;
    };
    const failing = ({ payload }: TopicMessage<number>, { delivery }: { delivery: number }): void => {
      if (delivery === 1) throw new Error(String(payload));
    };
    await using subscription = mine.subscribe("s", failing, { ...START, onError });
    await settled(subscription);
    expect(subscription.stats()).toMatchObject({ handled: 2, failed: 2 });
  });

  it("gives a handler that does not end up when drain is over, and counts that delivery", async () => {
    const { mine } = topics();
    await publish(mine, 1);
    const aborted = new Deferred<unknown>();
    const began = new Deferred<void>();
    const one = mine.subscribe(
      "s",
      (_, { signal }) => {
        signal.addEventListener("abort", () => aborted.resolve(signal.reason));
        began.resolve();
        return new Promise(() => undefined);
      },
      { ...START, drain: 10 },
    );
    await began.promise;
    await one.close();
    expect(await aborted.promise).toMatchObject({ code: "LEASE_LOST", reason: "closed" });
    const again = new Deferred<number>();
    await using _ = mine.subscribe("s", (__, { delivery }) => again.resolve(delivery), START);
    expect(await again.promise).toBe(2);
  });

  it("a handler may close its own subscription", async () => {
    const { mine } = topics();
    await publish(mine, 1);
    const subscription: TopicSubscription = mine.subscribe("s", () => subscription.close(), START);
    await subscription.ended;
    expect((await mine.subscriptions.lag("s"))!.messages).toBe(0);
  });

  it("a paused one begins nothing and leaves messages to others; resumed, it goes on", async () => {
    const { mine, theirs } = topics();
    const seen: string[] = [];
    await using one = mine.subscribe("s", () => void seen.push("one"), START);
    await one.ready();
    await one.pause();
    await publish(mine, 5);
    const two = theirs.subscribe("s", () => void seen.push("two"), START);
    await until("five", () => seen.length === 5);
    expect(seen).not.toContain("one");
    await two.close();
    one.resume();
    await publish(mine, 1);
    await until("six", () => seen.length === 6);
    expect(seen.at(-1)).toBe("one");
  });

  it("seek: replays from the start, an offset, a time; what is in flight counts no more", async () => {
    const { mine } = topics();
    await publish(mine, 3);
    const seen: number[] = [];
    await using subscription = mine.subscribe("s", (m) => void seen.push(m.payload), START);
    await settled(subscription);
    await subscription.seek("start");
    await until("all again", () => seen.length === 6);
    await subscription.seek({ partition: 0, offset: 2 });
    await until("one more", () => seen.length === 7);
    expect(seen.at(-1)).toBe(2);
    await settled(subscription);
    await subscription.seek({ time: Date.now() + 60_000 });
    await publish(mine, 1, 3);
    await until("new", () => seen.length === 8);
    await expect(subscription.seek({ partition: 5, offset: 2 })).rejects.toThrow("partition");
  });

  it("a seek aborts the handlers of what is in flight", async () => {
    const { mine } = topics();
    await publish(mine, 1);
    const reasons: unknown[] = [];
    const began = new Deferred<void>();
    let runs = 0;
    await using subscription = mine.subscribe(
      "s",
      async (_, { signal }) => {
        runs += 1;
        if (runs > 1) return;
        began.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        reasons.push(signal.reason);
      },
      START,
    );
    await began.promise;
    await subscription.seek("start");
    await until("again", () => runs === 2);
    expect(reasons).toMatchObject([{ code: "LEASE_LOST", reason: "stolen" }]);
    await settled(subscription);
    expect(subscription.stats().handled).toBe(1);
  });

  it("dead letters are redriven to their subscription alone, all or chosen, and handled once", async () => {
    const { mine } = topics({ partitions: 2 });
    await publish(mine, 6);
    let isBroken = true;
    const seen = { s: [] as number[], other: [] as number[] };
    await using _ = mine.subscribe(
      "s",
      (m, context) => (isBroken ? context.reject("broken") : void seen.s.push(m.payload)),
      START,
    );
    await using __ = mine.subscribe("other", (m) => void seen.other.push(m.payload), START);
    await until("dead", async () => (await mine.dead("s").count()) === 6);
    await until("others", () => seen.other.length === 6);
    isBroken = false;
    const dead = mine.dead("s");
    const { letters, cursor } = await dead.page({ limit: 4 });
    const rest = await dead.page({ limit: 4, cursor: cursor! });
    expect(sorted([...letters, ...rest.letters].map(({ message }) => message!.payload))).toEqual(range(6));
    expect(await dead.remove([letters[0]!.id])).toBe(1);
    expect(await dead.redrive([letters[1]!.id])).toBe(1);
    expect(await dead.redrive({ where: ({ message }) => message!.payload % 2 === 0, rate: 1_000 })).toBeLessThanOrEqual(
      3,
    );
    await dead.redrive();
    await until("redriven", () => seen.s.length === 5);
    await settled(_);
    expect(seen.s).not.toContain(letters[0]!.message!.payload);
    expect(new Set(seen.s).size).toBe(5);
    expect(seen.other).toHaveLength(6);
    expect(await dead.count()).toBe(0);
    await expect(dead.redrive(["7.x.1"])).rejects.toThrow(InvalidArgumentError);
    await expect(dead.page({ cursor: "x" })).rejects.toThrow("cursor");
  });

  it("a redriven letter outlives what retention has removed", async () => {
    const { name, mine } = topics();
    await publish(mine, 1);
    let isBroken = true;
    const seen: number[] = [];
    await using _ = mine.subscribe(
      "s",
      (m, context) => (isBroken ? context.reject() : void seen.push(m.payload)),
      START,
    );
    await until("dead", async () => (await mine.dead("s").count()) === 1);
    await handles.send("DEL", `${handles.prefix}:topic:{${name}}:log`);
    isBroken = false;
    await mine.dead("s").redrive();
    await until("redriven", () => seen.length === 1);
    expect(seen).toEqual([0]);
  });

  it("lag counts what is not settled, and how old it is", async () => {
    const { mine } = topics();
    await publish(mine, 5);
    const end = new Deferred<void>();
    await using subscription = mine.subscribe("s", () => end.promise, { ...START, concurrency: 2, prefetch: 0 });
    await until("running", () => subscription.stats().running === 2);
    const lag = await subscription.lag();
    expect(lag).toMatchObject({ messages: 5, partitions: [{ partition: 0, committed: 0, head: 5, messages: 5 }] });
    expect(lag.oldestAgeMs).toBeGreaterThanOrEqual(0);
    end.resolve();
    await settled(subscription);
    expect(await mine.subscriptions.lag("s")).toEqual({
      messages: 0,
      oldestAgeMs: undefined,
      partitions: [{ partition: 0, committed: 5, head: 5, messages: 0 }],
    });
  });

  it("many at a time: one call for what is there, an error for those that failed", async () => {
    const { mine } = topics();
    await publish(mine, 10);
    const calls: number[][] = [];
    await using subscription = mine.subscribeMany(
      "s",
      (messages, context) => {
        calls.push(messages.map(({ payload }) => payload));
        if (context.delivery > 1) return undefined;
        for (const message of messages) if (message.payload === 9) context.reject(message, "nine");
        return messages.map(({ payload }) => (payload === 4 ? new Error("four") : undefined));
      },
      { ...START, size: 20, linger: 50 },
    );
    await settled(subscription);
    expect(calls).toEqual([range(10), [4]]);
    expect(subscription.stats()).toMatchObject({ handled: 9, failed: 2, dead: 1 });
  });

  it("messages that are gone are said, and do not hold up the others", async () => {
    const { name, mine, theirs } = topics();
    const before = theirs.subscribe("s", () => undefined, START);
    await before.ready();
    await before.close();
    await publish(mine, 3);
    await handles.send("DEL", `${handles.prefix}:topic:{${name}}:log`);
    await publish(mine, 1, 3);
    const gaps: unknown[] = [];
    const seen: number[] = [];
    const onGap = (gap: unknown): unknown => gaps.push(gap);
    await using subscription = theirs.subscribe("s", (m) => void seen.push(m.payload), { ...START, onGap });
    await settled(subscription);
    expect(seen).toEqual([3]);
    expect(gaps).toEqual([{ kind: "gap", partition: 0, from: 1, to: 3, count: 3 }]);
  });

  it("a topic that was lost and has begun again is said, and nothing of the new one is left out", async () => {
    const { name, mine } = topics();
    await publish(mine, 3);
    const gaps: { kind: string }[] = [];
    const seen: number[] = [];
    await using _ = mine.subscribe("s", (m) => void seen.push(m.payload), {
      ...START,
      poll: 100,
      onGap: (gap) => gaps.push(gap),
    });
    await until("three", () => seen.length === 3);
    for (const key of await handles.keys(`topic:{${name}}`)) await handles.send("DEL", key);
    await publish(mine, 1, 3);
    await until("new", () => seen.length === 4);
    expect(gaps).toMatchObject([{ kind: "reset" }]);
  });

  it("a removed subscription ends its members and leaves nothing", async () => {
    const { name, mine } = topics();
    await publish(mine, 1);
    const subscription = mine.subscribe("s", (_, context) => context.reject(), START);
    await until("dead", async () => (await mine.dead("s").count()) === 1);
    expect(await mine.subscriptions.remove("s")).toBe(true);
    await subscription.ended;
    expect(subscription.signal.reason).toMatchObject({ code: "CLOSED" });
    const left = await handles.keys(`topic:{${name}}`);
    expect(left.filter((key) => /:(shared|dead|records|redriven|cursors)/.test(key))).toEqual([]);
  });

  it("asks about once a poll while there is nothing to do", async () => {
    const { mine } = topics();
    await publish(mine, 3);
    await using subscription = mine.subscribe("s", () => undefined, { ...START, poll: 200 });
    await settled(subscription);
    const asked = vi.spyOn(SharedStore.prototype, "claim");
    const [begun, polls] = [performance.now(), 5];
    await until("some polls", () => performance.now() - begun > polls * 200);
    const most = (performance.now() - begun) / 200 + 2;
    const times = asked.mock.calls.length;
    asked.mockRestore();
    expect(times).toBeGreaterThan(0);
    expect(times).toBeLessThanOrEqual(most);
  });

  it("refuses a name of the other kind, wrong options, and what is no handler", async () => {
    const { mine } = topics();
    await using other = mine.subscribe("o", () => undefined);
    await other.ready();
    const shared = mine.subscribe("o", () => undefined, { kind: "shared" });
    await expect(shared.ready()).rejects.toThrow(InvalidArgumentError);
    await shared.ended;
    const wrong =
      (options: object): (() => unknown) =>
      () =>
        mine.subscribe("s", () => undefined, { kind: "shared", ...options } as never);
    expect(wrong({ visibilty: "1s" })).toThrow(/did you mean "visibility"/);
    expect(wrong({ visibility: "1d" })).toThrow(/visibility/);
    expect(wrong({ maxDeliveries: 1_000 })).toThrow(/maxDeliveries/);
    expect(wrong({ backoff: [] })).toThrow(/backoff/);
    expect(wrong({ filter: 1 })).toThrow(/filter/);
    expect(() => mine.subscribe("s", undefined as never, { kind: "shared" })).toThrow(/handler/);
    expect(() => mine.dead("")).toThrow(InvalidArgumentError);
  });
});
