// What could go wrong with dead letters that are put back to an ordered subscription, and the test for each:
// - they overtake each other, or what is in work of their key ............ "in the order in which they died"
// - what is read later overtakes them, before or after a crash ............ "before what is read later", "begins with them"
// - a lost or late word of a former owner settles one that is not handled . "of a former owner", "another life"
// - one that fails again is lost, or is tried for ever .................... "is dead again"
// - one that cannot be read, or whose record is gone, holds up the others . "cannot be read"
// - the filter does not see them .......................................... "filter"
// - a great many of them are all in memory at once ........................ "not more than `window`"
// - they survive the removal of their subscription ........................ "removed with"
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { DeadLetterStore } from "../dead/store.ts";
import type { TopicMessage } from "../message.ts";
import { subscriptionKeys } from "../keys.ts";
import { Topic } from "../topic.ts";
import type { TopicOrderedOptions } from "./options.ts";

const OPTIONS = { start: "start", maxDeliveries: 1, backoff: { type: "fixed", delay: 1, jitter: 0 } } as const;

describe.each(backends())("redriven letters of an ordered subscription [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  /** A subscription that fails for as long as `fails` says so. */
  const opened = (options: TopicOrderedOptions = {}, partitions = 1) => {
    const topic = handles.a.topic<string>(randomName(), { partitions });
    const seen: string[] = [];
    const it = {
      topic,
      seen,
      fails: (_payload: string): boolean => true,
      handling: undefined as Promise<void> | undefined,
    };
    const subscribe = () =>
      topic.subscribe(
        "all",
        async ({ payload, redriven }: TopicMessage<string>) => {
          if (it.fails(payload)) throw new Error("not now");
          await it.handling;
          seen.push(redriven ? `${payload}!` : payload);
        },
        { ...OPTIONS, ...options },
      );
    const publish = (...all: string[]) =>
      topic.publishMany(all.map((message) => ({ message, key: message.slice(0, 1) })));
    const areDead = (count: number) =>
      until(`${count} are dead`, async () => (await topic.dead("all").count()) === count);
    const isIdle = () => until("nothing is left", async () => (await topic.subscriptions.lag("all"))?.messages === 0);
    return Object.assign(it, { subscribe, publish, areDead, isIdle, dead: topic.dead("all") });
  };

  it("are handled again by the owner in the order in which they died, by key, marked, and are settled", async () => {
    const it = opened({}, 3);
    await using subscription = it.subscribe();
    const all = ["a1", "b1", "a2", "a3", "b2", "c1"];
    await it.publish(...all);
    await it.areDead(all.length);
    it.fails = () => false;
    const { letters } = await it.dead.page();
    expect(await it.dead.redrive(letters.map(({ id }) => id).toReversed())).toBe(all.length);
    await it.isIdle();
    for (const key of ["a", "b", "c"])
      expect(it.seen.filter((each) => each.startsWith(key))).toEqual(
        all.filter((each) => each.startsWith(key)).map((each) => `${each}!`),
      );
    expect(it.seen).toHaveLength(all.length);
    expect(await it.dead.count()).toBe(0);
    expect(subscription.stats()).toMatchObject({ handled: all.length, dead: all.length });
  });

  it("chosen by `where`, with a rate; later messages of a key wait for its letters: they come before what is read later", async () => {
    const it = opened();
    await using _subscription = it.subscribe();
    await it.publish("a1", "b1", "a2");
    await it.areDead(3);
    it.fails = () => false;
    let go = (): void => undefined;
    it.handling = new Promise((resolve) => (go = resolve));
    expect(await it.dead.redrive({ where: ({ key }) => key === "a", rate: 1_000 })).toBe(2);
    await until("one is in work", () => _subscription.stats().running === 1);
    await it.publish("a3", "b2");
    it.handling = undefined;
    await until("other keys go on", () => it.seen.includes("b2"));
    go();
    await it.isIdle();
    expect(it.seen).toEqual(["b2", "a1!", "a2!", "a3"]);
    expect(await it.dead.count()).toBe(1);
  });

  it("whoever takes the partition begins with them, however often they were put back", async () => {
    const it = opened();
    {
      await using _subscription = it.subscribe();
      await it.publish("a1", "a2");
      await it.areDead(2);
    }
    it.fails = () => false;
    await it.publish("a3");
    expect([await it.dead.redrive(), await it.dead.redrive()]).toEqual([2, 0]);
    await using _next = it.subscribe();
    await it.isIdle();
    expect(it.seen).toEqual(["a1!", "a2!", "a3"]);
  });

  it("one that fails again is dead again, after all its deliveries, and can be put back again", async () => {
    const it = opened({ maxDeliveries: 2 });
    await using subscription = it.subscribe();
    await it.publish("a1", "a2");
    await it.areDead(2);
    it.fails = (payload) => payload === "a1";
    await it.dead.redrive();
    await until("the other is handled", () => it.seen.includes("a2!"));
    await it.areDead(1);
    expect((await it.dead.page()).letters).toMatchObject([{ deliveries: 2, offset: 1, reason: "exhausted" }]);
    expect(subscription.stats()).toMatchObject({ failed: 6, dead: 3 });
    it.fails = () => false;
    await it.dead.redrive();
    await it.isIdle();
    expect(it.seen).toEqual(["a2!", "a1!"]);
  });

  it("what a former owner says of one changes nothing, nor does what is said of another life of it", async () => {
    const it = opened();
    await using _subscription = it.subscribe();
    await it.publish("a1");
    await it.areDead(1);
    await _subscription.close();
    const source = Topic.sourceOf(it.topic);
    const store = new DeadLetterStore(source, "all");
    const { owned, redriven } = subscriptionKeys(source.logs[0]!, "all");
    await it.dead.redrive();
    await handles.send("HSET", owned, "fence", "7");
    const [letter] = await store.redriven(0, 7, 0, 10);
    const burial = {
      partition: 0,
      pack: letter!.pack!,
      offset: 1,
      deliveries: 1,
      reason: "exhausted",
      error: "no",
    } as const;
    expect(await store.bury({ ...burial, owner: { fence: 6, place: String(letter!.place) } })).toBe("stale");
    expect(await store.bury({ ...burial, owner: { fence: 7, place: "1" } })).toBe("ok");
    // Its message is passed: a burial that is sent again.
    expect(await store.bury({ ...burial, owner: { fence: 7, place: "" } })).toBe("ok");
    expect([await it.dead.count(), await store.redrivenCount(0)]).toEqual([0, 1]);
    expect(await store.bury({ ...burial, owner: { fence: 7, place: String(letter!.place) } })).toBe("ok");
    expect([await it.dead.count(), await store.redrivenCount(0)]).toEqual([1, 0]);
    await it.dead.redrive();
    const [again] = await store.redriven(0, 7, 0, 10);
    expect(again!.place).toBeGreaterThan(letter!.place);
    expect(Number(await handles.send("ZCARD", redriven))).toBe(1);
  });

  it("one that cannot be read is dead again, one whose record is gone is forgotten; the others go on", async () => {
    const it = opened();
    await using _subscription = it.subscribe();
    await it.publish("a1", "a2", "a3");
    await it.areDead(3);
    const { records } = subscriptionKeys(Topic.sourceOf(it.topic).logs[0]!, "all");
    const { letters } = await it.dead.page();
    const names = letters.map(({ id }) => id.slice(id.indexOf(".") + 1));
    await _subscription.close();
    it.fails = () => false;
    await it.dead.redrive();
    await handles.send("HSET", records, names[0]!, "nothing");
    await handles.send("HDEL", records, names[1]!);
    await using _next = it.subscribe();
    await it.isIdle();
    expect(it.seen).toEqual(["a3!"]);
    expect((await it.dead.page()).letters).toMatchObject([{ id: letters[0]!.id, reason: "undecodable" }]);
  });

  it("the filter is asked, and what it refuses is settled", async () => {
    let accepts = true;
    const it = opened({ filter: ({ key }) => accepts || key !== "a" });
    await using subscription = it.subscribe();
    await it.publish("a1", "b1");
    await it.areDead(2);
    accepts = false;
    it.fails = () => false;
    await it.dead.redrive();
    await it.isIdle();
    expect(it.seen).toEqual(["b1!"]);
    expect(subscription.stats()).toMatchObject({ skipped: 1 });
  });

  it("not more than `window` of them are in work, and all of them are handled, also by a handler of several", async () => {
    const it = opened({ window: 3, concurrency: 20 });
    const all = Array.from({ length: 25 }, (_, at) => `${String.fromCodePoint(97 + at)}1`);
    {
      await using _subscription = it.subscribe();
      await it.publish(...all);
      await it.areDead(25);
    }
    it.fails = () => false;
    await it.dead.redrive();
    let most = 0;
    {
      await using one = it.topic.subscribe("all", () => void (most = Math.max(most, one.stats().running)), {
        ...OPTIONS,
        window: 3,
        concurrency: 20,
        filter: ({ key }) => key! < "m",
      });
      await until("they are handled", () => one.stats().handled + one.stats().skipped === 25);
      await it.isIdle();
    }
    expect(most).toBeLessThanOrEqual(3);
    await it.publish("a2", "b2");
    await using _failing = it.topic.subscribeMany("all", () => Promise.reject(new Error("no")), OPTIONS);
    await it.areDead(2);
    await _failing.close();
    await it.dead.redrive();
    const many: string[] = [];
    await using _many = it.topic.subscribeMany(
      "all",
      (messages) => void many.push(...messages.map(({ payload, redriven }) => `${payload}${redriven}`)),
      OPTIONS,
    );
    await it.isIdle();
    expect(many.toSorted()).toEqual(["a2true", "b2true"]);
  });

  it("are removed with their subscription, and so are its dead letters", async () => {
    const it = opened();
    await using subscription = it.subscribe();
    await it.publish("a1", "a2");
    await it.areDead(2);
    await subscription.close();
    await it.dead.redrive({ limit: 1 });
    await it.topic.subscriptions.remove("all");
    const { owned, dead, records, redriven } = subscriptionKeys(Topic.sourceOf(it.topic).logs[0]!, "all");
    expect(await handles.send("EXISTS", owned, dead, records, redriven)).toBe(0);
  });
});
