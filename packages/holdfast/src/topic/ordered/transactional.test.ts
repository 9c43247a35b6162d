// What could go wrong with a subscription that keeps its state beside its cursor, and the test for each:
// - the state and the cursor are not of one moment ........................ transactional-simulation.test.ts
// - a call that failed leaves a part of its changes ....................... "of a call that has failed"
// - a call does not see what those before it have changed ................. "sees what was changed before"
// - a batch is passed in part ............................................. "all of a batch, or nothing"
// - a message that is dead counts, or one that was put back counts twice .. "a dead letter", "begins behind a dead letter"
// - a letter of a message that was lost hides the one in its place ........ "that a failover has lost"
// - a seek leaves what it should clear, or clears what it should leave .... "a seek"
// - the state outlives its subscription, or is lost before it ............. "with its subscription", "together with the cursor"
// - it grows without bounds ............................................... "at most `maxNames`"
// - a name that is set again and again is taken for many .................. "set again and again"
// - what comes as the call's changes are carried out is lost silently ..... "as its changes are carried out"
// - what is encrypted in the topic is in plain in the state ............... "as the topic's messages are"
// - bad input is stored ................................................... "refuses"
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { LogPack } from "../../core/log/pack.ts";
import { DeadLetterStore } from "../dead/store.ts";
import { subscriptionKeys } from "../keys.ts";
import type { TopicOptions } from "../options.ts";
import type { TopicStateChanges } from "../state/changes.ts";
import { Topic } from "../topic.ts";
import type { TopicTransactionalOptions } from "./options.ts";

const OPTIONS = {
  transactional: true,
  start: "start",
  maxDeliveries: 2,
  backoff: { type: "fixed", delay: 1, jitter: 0 },
} as const;

describe.each(backends())("a transactional subscription [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const opened = <T>(options: TopicOptions<T> = {}) => {
    const topic = handles.a.topic<T>(randomName(), options);
    const state = topic.state("all");
    const isIdle = () => until("all is committed", async () => (await topic.subscriptions.lag("all"))?.messages === 0);
    const counting = (
      more: Partial<TopicTransactionalOptions> = {},
      change?: (n: T, state: TopicStateChanges) => unknown,
    ) =>
      topic.subscribe(
        "all",
        async ({ payload }, context) => {
          context.state.increment("count");
          await change?.(payload, context.state);
        },
        { ...OPTIONS, ...more },
      );
    return { topic, state, isIdle, counting };
  };

  it("counts each message once, per key and over all partitions; what it keeps is read from anywhere", async () => {
    const { topic, state, isIdle } = opened<number>({ partitions: 4 });
    const keys = ["ada", "grace", "alan"];
    await topic.publishMany(Array.from({ length: 300 }, (_, at) => ({ message: at, key: keys[at % 3]! })));
    await using _subscription = topic.subscribe(
      "all",
      ({ payload, key }, { state: mine }) => {
        mine.increment("messages");
        mine.increment(`sum of ${key}`, payload);
        mine.set(`last of ${key}`, { at: payload });
      },
      OPTIONS,
    );
    await isIdle();
    expect(await state.sum("messages")).toBe(300);
    for (const [at, key] of keys.entries()) {
      expect(await state.get(`sum of ${key}`, { key })).toBe(100 * at + (3 * 99 * 100) / 2);
      expect(await state.get(`last of ${key}`, { key })).toEqual({ at: 297 + at });
    }
    expect(await state.get("nothing", { partition: 1 })).toBeUndefined();
    const found = new Map<string, number>();
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const page = await state.page({ ...(cursor === undefined ? {} : { cursor }), limit: 2 });
      for (const { name } of page.entries) found.set(name, (found.get(name) ?? 0) + 1);
      cursor = page.cursor;
    }
    expect([...found.keys()].toSorted()).toEqual(
      ["messages", ...keys.flatMap((key) => [`last of ${key}`, `sum of ${key}`])].toSorted(),
    );
  });

  it("a call sees what was changed before it, and its own changes, in every combination", async () => {
    const { topic, state, isIdle } = opened<number>();
    const seen: unknown[] = [];
    await topic.publishMany([1, 2, 3].map((message) => ({ message })));
    await using _subscription = topic.subscribe(
      "all",
      async ({ payload }, { state: mine }) => {
        seen.push(await mine.get("n"));
        mine.increment("n", payload);
        seen.push(await mine.get("n"));
        if (payload === 2) mine.set("n", 10);
        mine.increment("n");
        if (payload === 3) {
          mine.delete("gone");
          mine.increment("gone", 5);
        } else mine.set("gone", "text");
        seen.push(await mine.get("gone"));
      },
      OPTIONS,
    );
    await isIdle();
    expect(seen).toEqual([undefined, 1, "text", 2, 4, "text", 11, 14, 5]);
    expect([await state.get("n"), await state.get("gone")]).toEqual([15, 5]);
  });

  it("nothing of a call that has failed is kept; what cannot be added to fails its call, and nothing else", async () => {
    const { topic, state, isIdle, counting } = opened<string>();
    await topic.publishMany(["good", "bad", "text", "large", "good"].map((message) => ({ message })));
    await using subscription = counting({}, (payload, mine) => {
      mine.set("last", payload);
      if (payload === "bad") throw new Error("no");
      if (payload === "text") mine.increment("last");
      if (payload === "large") {
        mine.set("huge", Number.MAX_SAFE_INTEGER);
        mine.increment("huge");
      }
    });
    await isIdle();
    expect([await state.get("count"), await state.get("last"), await state.get("huge")]).toEqual([
      2,
      "good",
      undefined,
    ]);
    expect(subscription.stats()).toMatchObject({ handled: 2, dead: 3 });
  });

  it("keeps all of a batch, or nothing; one that holds a bad message comes again one by one", async () => {
    const { topic, state, isIdle } = opened<number>({ partitions: 2 });
    await topic.publishMany(Array.from({ length: 100 }, (_, at) => ({ message: at, key: `k${at % 7}` })));
    const sizes: number[] = [];
    await using _subscription = topic.subscribeMany(
      "all",
      (messages, { state: mine }) => {
        sizes.push(messages.length);
        for (const { payload } of messages) mine.increment("sum", payload);
        if (messages.some(({ payload }) => payload === 50))
          return messages.map(({ payload }) => (payload === 50 ? new Error("no") : undefined));
        return undefined;
      },
      { ...OPTIONS, size: 20 },
    );
    await isIdle();
    expect(await state.sum("sum")).toBe((99 * 100) / 2 - 50);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
    expect(await topic.dead("all").count()).toBe(1);
  });

  it("a dead letter changes nothing until it is put back, and then counts once", async () => {
    const { topic, state, isIdle, counting } = opened<number>();
    let fails = true;
    await topic.publishMany([1, 2, 3].map((message) => ({ message, key: "k" })));
    await using _subscription = counting({}, (payload, mine) => {
      if (payload === 2 && fails) throw new Error("no");
      mine.increment("sum", payload);
    });
    await isIdle();
    expect(await state.get("sum")).toBe(4);
    fails = false;
    await topic.dead("all").redrive();
    await isIdle();
    expect([await state.get("sum"), await state.get("count")]).toEqual([6, 3]);
  });

  it("begins behind a dead letter that its former owner did not come to pass", async () => {
    const { topic, state, isIdle, counting } = opened<number>();
    await topic.publishMany([1, 2, 3].map((message) => ({ message })));
    const source = Topic.sourceOf(topic);
    const letters = new DeadLetterStore(source, "all");
    const [pack] = await source.store(0, "test").range(1, 1);
    const burial = { partition: 0, pack: pack!, offset: 1, deliveries: 2, reason: "exhausted", error: "no" } as const;
    await letters.bury(burial);
    await using subscription = counting();
    await isIdle();
    expect([await state.get("count"), subscription.stats().handled]).toEqual([2, 2]);
    await topic.dead("all").redrive();
    await isIdle();
    expect([await state.get("count"), subscription.stats().handled]).toEqual([3, 3]);
  });

  it("does not take the dead letter of a message that a failover has lost for that of the one in its place", async () => {
    const { topic, state, isIdle, counting } = opened<number>();
    await topic.publishMany([1, 2, 3].map((message) => ({ message })));
    const source = Topic.sourceOf(topic);
    const [pack] = await source.store(0, "test").range(1, 1);
    const { epoch, first, at, bytes } = pack!;
    const lost = new LogPack(epoch, first, 3, at - 1, bytes);
    const burial = { partition: 0, pack: lost, offset: 1, deliveries: 2, reason: "exhausted", error: "no" } as const;
    await new DeadLetterStore(source, "all").bury(burial);
    await using subscription = counting();
    await isIdle();
    expect([await state.get("count"), subscription.stats().handled]).toEqual([3, 3]);
  });

  it("a seek leaves the state or clears it, in the same step, for its owner too", async () => {
    const { topic, state, isIdle, counting } = opened<number>({ partitions: 2 });
    await topic.publishMany(Array.from({ length: 10 }, (_, at) => ({ message: at, key: `k${at}` })));
    await using subscription = counting();
    await isIdle();
    await subscription.seek("start");
    await until("they count again", async () => (await state.sum("count")) === 20);
    await isIdle();
    await subscription.seek("start", { state: "clear" });
    await until("they count again", async () => (await state.sum("count")) === 10);
    await isIdle();
    await topic.subscriptions.seek("all", "end", { state: "clear" });
    expect(await state.sum("count")).toBe(0);
    await topic.publish(1);
    await isIdle();
    expect(await state.sum("count")).toBe(1);
    await expect(topic.subscriptions.seek("all", "end", { state: "gone" } as never)).rejects.toMatchObject({
      field: "state",
    });
  });

  it("the state goes with its subscription, and is lost together with the cursor or not at all", async () => {
    const { topic, state, isIdle, counting } = opened<number>();
    const { owned } = subscriptionKeys(Topic.sourceOf(topic).logs[0]!, "all");
    await topic.publishMany([1, 2, 3].map((message) => ({ message })));
    await using subscription = counting({ expires: "1h", lease: "1s" });
    await isIdle();
    expect(Number(await handles.send("PTTL", owned))).toBeGreaterThan(0);
    // As an eviction does: it counts again from the first message that the topic has.
    await handles.send("DEL", owned);
    await until("it has begun again", async () => (await state.get("count")) === 3);
    await topic.subscriptions.remove("all");
    await subscription.ended;
    expect(await state.get("count")).toBeUndefined();
  });

  it("has at most `maxNames`; a name that is there, or one that goes, takes no room", async () => {
    const { topic, state, isIdle } = opened<string>();
    await topic.publishMany(["a", "b", "a", "c", "-b", "c"].map((message) => ({ message })));
    await using subscription = topic.subscribe(
      "all",
      ({ payload }, { state: mine }) =>
        payload.startsWith("-") ? mine.delete(payload.slice(1)) : mine.increment(payload),
      { ...OPTIONS, maxNames: 2, maxDeliveries: 1 },
    );
    await isIdle();
    const { entries } = await state.page();
    expect(
      entries.map(({ name, value }) => [name, value]).toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    ).toEqual([
      ["a", 2],
      ["c", 1],
    ]);
    expect((await topic.dead("all").page()).letters[0]!.error).toContain("at most 2 names");
    await subscription.close();
    await topic.publish("d");
    await using next = topic.subscribe("all", ({ payload }, { state: mine }) => mine.increment(payload), {
      ...OPTIONS,
      maxNames: 2,
      maxDeliveries: 1,
    });
    await isIdle();
    expect([next.stats().dead, await state.get("d")]).toEqual([1, undefined]);
  });

  it("a name that is set again and again counts with what it is in the end", async () => {
    const { topic, state, isIdle, counting } = opened<number>();
    await topic.publish(1);
    await using subscription = counting({}, (_, mine) => {
      for (let at = 0; at < 20; at += 1) mine.set("large", String(at).repeat(50_000));
      mine.set("large", "small");
      for (let at = 0; at < 20; at += 1) mine.set(`large ${at}`, "x".repeat(50_000));
    });
    await isIdle();
    expect([subscription.stats().failed, await state.get("large")]).toEqual([0, "small"]);
  });

  it("refuses what comes as its changes are carried out, when the handler has ended", async () => {
    const { topic, isIdle, counting } = opened<number>();
    const late: unknown[] = [];
    await topic.publish(1);
    // The values of what it has added to are being read then.
    await using _subscription = counting({}, (_, mine) => {
      setImmediate(() => {
        try {
          late.push(mine.set("late", 1));
        } catch (error) {
          late.push(error);
        }
      });
    });
    await isIdle();
    expect(late).toEqual([expect.objectContaining({ code: "CLOSED" })]);
  });

  it("values are stored as the topic's messages are: encrypted, and with their Dates", async () => {
    const encrypt = { keys: { a: randomBytes(32) }, current: "a" };
    const { topic, state, isIdle, counting } = opened<number>({ serializer: "structured", encrypt });
    const { owned } = subscriptionKeys(Topic.sourceOf(topic).logs[0]!, "all");
    const value = { since: new Date(), who: "Ada Lovelace" };
    await topic.publish(1);
    await using _subscription = counting({}, (_, mine) => mine.set("who", value));
    await isIdle();
    expect(await state.get("who")).toEqual(value);
    expect(String(await handles.send("HGET", owned, "=who"))).not.toContain("Ada");
  });

  it("refuses what is no change, and what comes after the handler's end", async () => {
    const { topic, isIdle } = opened<number>({ partitions: 2 });
    const errors: unknown[] = [];
    let late: TopicStateChanges | undefined;
    await topic.publish(1);
    await using _subscription = topic.subscribe(
      "all",
      (_, { state: mine }) => {
        late = mine;
        for (const wrong of [
          () => mine.increment("n", 1.5),
          () => mine.set("n", undefined),
          () => mine.set("", 1),
          () => mine.set("n", () => 1),
          () => mine.set("n", "x".repeat(2_000_000)),
        ])
          try {
            wrong();
          } catch (error) {
            errors.push(error);
          }
      },
      OPTIONS,
    );
    await isIdle();
    expect(errors.map((error) => (error as { code: string }).code)).toEqual([
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "INVALID_ARGUMENT",
      "CODEC",
      "INVALID_ARGUMENT",
    ]);
    expect(await topic.state("all").sum("n")).toBe(0);
    expect(() => late!.increment("n")).toThrow(/has ended/);
    await expect(topic.state("all").get("n")).rejects.toMatchObject({ field: "key" });
    await expect(topic.state("all").get("n", { partition: 2 })).rejects.toMatchObject({ field: "partition" });
    await expect(topic.state("all").page({ cursor: "9.0" })).rejects.toMatchObject({ field: "cursor" });
    expect(() => topic.subscribe("x", () => 1, { maxNames: 1 } as never)).toThrow(/maxNames/);
    expect(() => topic.subscribe("x", () => 1, { transactional: "yes" } as never)).toThrow(/transactional/);
    expect(() => topic.subscribe("x", () => 1, { kind: "shared", transactional: true } as never)).toThrow(
      /transactional/,
    );
  });
});
