// What could go wrong with what is not handled, and the test for each:
// - a message that fails for ever holds up its key for ever ........ "becomes a dead letter"
// - what cannot be decoded is lost, or ends the subscription ....... "cannot be decoded"
// - `skip` makes dead letters, `stop` passes the message ........... "skip", "stop"
// - failures of a message that is gone count for another ........... "of a log that is gone"
// - what retention has removed is taken for nothing ................ "reports what retention has removed"
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import type { TopicGap, TopicSubscription } from "../subscription.ts";
import { Topic } from "../topic.ts";

const AT_ONCE = { type: "fixed", delay: 1, jitter: 0 } as const;
const committed = async (subscription: TopicSubscription): Promise<boolean> =>
  (await subscription.lag()).messages === 0;

describe.each(backends())("what an ordered subscription gives up [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it("becomes a dead letter after its last delivery, and its key goes on", async () => {
    const topic = handles.a.topic<string>(randomName());
    const seen: string[] = [];
    await using subscription = topic.subscribe(
      "all",
      ({ payload }, { delivery }) => {
        seen.push(`${payload}.${delivery}`);
        if (payload === "bad") throw new Error("no such order");
      },
      { start: "start", maxDeliveries: 3, backoff: AT_ONCE },
    );
    await topic.publishMany(["bad", "good"].map((message) => ({ message, key: "k", headers: { of: message } })));
    await until("both are passed", () => committed(subscription));
    expect(seen).toEqual(["bad.1", "bad.2", "bad.3", "good.1"]);
    expect(subscription.stats()).toMatchObject({ handled: 1, failed: 3, dead: 1, skipped: 0 });
    const { letters } = await topic.dead("all").page();
    expect(letters).toMatchObject([
      { key: "k", headers: { of: "bad" }, partition: 0, offset: 1, deliveries: 3, reason: "exhausted" },
    ]);
    expect(letters[0]!.message?.payload).toBe("bad");
    expect(letters[0]!.error).toContain("no such order");
  });

  it.each(["one", "several"])(
    "what cannot be decoded is a dead letter, and those behind it go on (%s)",
    async (how) => {
      const name = randomName();
      const bytes = handles.a.topic<Buffer>(name, { serializer: "bytes" });
      const topic = handles.a.topic<number>(name);
      await topic.publish(1, { key: "k" });
      await bytes.publish(Buffer.from("no JSON"), { key: "k" });
      await topic.publish(3, { key: "k" });
      const [seen, errors]: [number[], unknown[]] = [[], []];
      const options = { start: "start", onError: (error: unknown) => void errors.push(error) } as const;
      await using subscription =
        how === "one"
          ? topic.subscribe("all", ({ payload }) => void seen.push(payload), options)
          : topic.subscribeMany("all", (some) => void seen.push(...some.map(({ payload }) => payload)), options);
      await until("all are passed", () => committed(subscription));
      expect(seen).toEqual([1, 3]);
      expect(errors).toMatchObject([{ code: "CODEC" }]);
      const { letters } = await topic.dead("all").page();
      expect(letters).toMatchObject([{ message: undefined, offset: 2, reason: "undecodable" }]);
    },
  );

  it("skip: it is passed, and is no dead letter", async () => {
    const topic = handles.a.topic<number>(randomName());
    const seen: number[] = [];
    await using subscription = topic.subscribe(
      "all",
      ({ payload }) => {
        seen.push(payload);
        if (payload === 1) throw new Error("never");
      },
      { start: "start", onExhausted: "skip", maxDeliveries: 2, backoff: AT_ONCE },
    );
    await topic.publishMany([1, 2].map((message) => ({ message, key: "k" })));
    await until("both are passed", () => committed(subscription));
    expect(seen).toEqual([1, 1, 2]);
    expect(subscription.stats()).toMatchObject({ handled: 1, failed: 2, dead: 0, skipped: 1 });
    expect((await topic.dead("all").page()).letters).toEqual([]);
  });

  it("stop: the subscription ends in front of it, says why, and another goes on there", async () => {
    const topic = handles.a.topic<number>(randomName());
    await topic.publishMany([1, 2, 3].map((message) => ({ message, key: "k" })));
    const failure = new Error("the books do not balance");
    const stopped = topic.subscribe(
      "all",
      ({ payload }) => {
        if (payload === 2) throw failure;
      },
      { start: "start", onExhausted: "stop", maxDeliveries: 2, backoff: AT_ONCE },
    );
    await stopped.ended;
    expect(stopped.signal.reason).toBe(failure);
    expect(await topic.subscriptions.lag("all")).toMatchObject({ messages: 2 });
    expect((await topic.dead("all").page()).letters).toEqual([]);
    const seen: [number, number][] = [];
    await using again = topic.subscribe("all", ({ payload }, { delivery }) => void seen.push([payload, delivery]));
    await until("the others are passed", () => committed(again));
    expect(seen).toEqual([
      [2, 3],
      [3, 1],
    ]);
  });

  it("failures of a log that is gone do not count in the next one", async () => {
    const name = randomName();
    const topic = handles.a.topic<string>(name);
    await topic.publish("old");
    const options = { start: "start", onExhausted: "stop", maxDeliveries: 1 } as const;
    const stopped = topic.subscribe("all", () => Promise.reject(new Error("never")), options);
    await stopped.ended;
    const { log, meta } = Topic.sourceOf(topic).logs[0]!;
    await handles.send("DEL", log, meta);
    await topic.publish("new");
    const seen: unknown[] = [];
    await using again = topic.subscribe("all", ({ payload }, { delivery }) => void seen.push(payload, delivery), {
      onGap: ({ kind }) => void seen.push(kind),
    });
    await until("it is passed", () => committed(again));
    expect(seen).toEqual(["reset", "new", 1]);
  });

  it("reports what retention has removed, before the next message", async () => {
    const topic = handles.a.topic<number>(randomName(), { maxMessages: 10 });
    const seen: (number | TopicGap)[] = [];
    const join = (): TopicSubscription =>
      topic.subscribe("all", ({ payload }) => void seen.push(payload), {
        start: "start",
        concurrency: 1,
        onGap: (gap) => void seen.push(gap),
      });
    await topic.publish(1);
    const before = join();
    await until("the first is passed", () => committed(before));
    await before.close();
    for (let each = 2; each <= 100; each += 1) await topic.publish(each);
    const { first } = (await topic.info()).partitions[0]!;
    expect(first).toBeGreaterThan(2);
    await using after = join();
    await until("all are passed", () => committed(after));
    const kept = Array.from({ length: 101 - first }, (_, at) => first + at);
    expect(seen).toEqual([1, { kind: "gap", partition: 0, from: 2, to: first - 1, count: first - 2 }, ...kept]);
  });
});
