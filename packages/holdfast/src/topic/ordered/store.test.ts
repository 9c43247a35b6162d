// What could go wrong with what is on the server, and the test for each:
// - two own a partition, or a fence does not rise .......... "one owner at a time"
// - a former owner's commit counts .......................... "refuses the commit of a former owner"
// - a commit that was repeated is refused ................... "a commit may be repeated"
// - a failover has put other messages where ours were ....... "refuses to pass messages that are not what was read"
// - a lost answer swallows the word of a loss ................ "until a commit"
// - what is used for ever ends, or the other way round ....... "for ever", "from outside"
// - the end is not known where `meta` was evicted ............ "where the end is"
// - it is removed as its cursor is made again, which stays ... "nothing is left"
// - what has failed is counted from the beginning by the next owner ... "remembers what has failed"
import { describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { Registry } from "../subscriptions/registry.ts";
import { Topic } from "../topic.ts";
import { type Commit, OrderedStore } from "./store.ts";

describe.each(backends())("an ordered subscription on the server [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  /** A partition with two messages in it. */
  const opened = async () => {
    const topic = handles.a.topic<number>(randomName());
    const source = Topic.sourceOf(topic);
    const results = await topic.publishMany([{ message: 1 }, { message: 2 }]);
    const { epoch, at } = await source.store(0, "test").tail();
    const terms = { topic: topic.name, name: "all", timeoutMs: undefined, keepMs: 60_000 };
    const store = new OrderedStore(source.core, source.logs, terms);
    await store.create(0, { cursor: 0, epoch }, false);
    const take = async (who: string, leaseMs = 60_000) => {
      const answer = await store.take(0, who, `process of ${who}`, leaseMs);
      if (answer.status !== "ok") throw new Error(answer.status);
      return answer;
    };
    const writes = { sets: [], deletes: [], names: 0 };
    let number = 0;
    const commit = (fence: number, expected: number, cursor: number, more: Partial<Commit> = {}) => {
      number += 1;
      return store.commit(0, { fence, number, expected, cursor, epoch, at, tries: "", letters: [], writes, ...more });
    };
    return { topic, store, take, commit, results };
  };

  it("one owner at a time, each with a higher fence; a process of the same member takes its place", async () => {
    const { store, take } = await opened();
    const a = await take("a");
    expect(await store.take(0, "b", "process of b", 60_000)).toMatchObject({ status: "busy" });
    const again = await store.take(0, "a", "another process", 60_000);
    expect(again).toMatchObject({ status: "ok", cursor: 0 });
    const fence = again.status === "ok" ? again.fence : 0;
    expect(fence).toBeGreaterThan(a.fence);
    expect(await store.release(0, a.fence)).toBe("stale");
    expect(await store.release(0, fence)).toBe("ok");
    expect((await take("b")).fence).toBeGreaterThan(fence);
  });

  it("refuses the commit of a former owner, and one from where the cursor is not", async () => {
    const { store, take, commit } = await opened();
    const { fence } = await take("a");
    expect(await commit(fence, 0, 1)).toBe("ok");
    expect(await commit(fence, 0, 2)).toBe("stale");
    expect(await store.seek(0, { cursor: 0, epoch: 0 })).toBe("ok");
    expect(await commit(fence, 1, 2)).toBe("stale");
    expect(await store.renew(0, fence, 60_000, { timeoutMs: 5_000 })).toEqual({ status: "stale" });
    expect(await store.cursor(0)).toMatchObject({ cursor: 0 });
  });

  it("a commit may be repeated, and is one", async () => {
    const { store, take, commit } = await opened();
    const { fence } = await take("a");
    const first = { number: 1 };
    expect([await commit(fence, 0, 1, first), await commit(fence, 0, 1, first)]).toEqual(["ok", "ok"]);
    expect(await commit(fence, 1, 2)).toBe("ok");
    expect(await commit(fence, 0, 1, first)).toBe("stale");
    expect(await store.cursor(0)).toMatchObject({ cursor: 2 });
  });

  it("refuses to pass messages that are not what was read", async () => {
    const { store, take, commit } = await opened();
    const { fence } = await take("a");
    expect(await commit(fence, 0, 2, { at: 1 })).toBe("lost");
    expect(await commit(fence, 0, 3)).toBe("lost");
    expect(await store.cursor(0)).toMatchObject({ cursor: 0 });
  });

  it("remembers what has failed for the next owner", async () => {
    const { store, take, commit } = await opened();
    const { fence } = await take("a");
    expect(await commit(fence, 0, 0, { at: 0, tries: "1:3" })).toBe("ok");
    await store.release(0, fence);
    expect(await take("b")).toMatchObject({ tries: "1:3", lost: false });
  });

  it("that it was lost is known until a commit, so that a lost answer hides nothing", async () => {
    const { store, take, commit } = await opened();
    await store.remove(0);
    await store.create(0, "end", true);
    expect(await take("a")).toMatchObject({ lost: true });
    const { lost, fence } = await take("a");
    expect(lost).toBe(true);
    expect(await commit(fence, 2, 2)).toBe("ok");
    expect(await take("a")).toMatchObject({ lost: false });
  });

  it("knows where the end is when `meta` was evicted", async () => {
    const { topic, store } = await opened();
    await handles.send("DEL", Topic.sourceOf(topic).logs[0]!.meta);
    expect(await store.seek(0, "end")).toBe("ok");
    expect(await store.cursor(0)).toMatchObject({ cursor: 2 });
    await store.remove(0);
    await store.create(0, "end", false);
    expect(await store.cursor(0)).toMatchObject({ cursor: 2 });
  });

  it("is kept for ever once a member says so, and as long as before when it is moved from outside", async () => {
    const topic = handles.a.topic<number>(randomName());
    const { group, cursors } = Topic.sourceOf(topic).logs[0]!;
    const join = async (expires: "1h" | false): Promise<void> => {
      const subscription = topic.subscribe("all", () => undefined, { expires });
      await subscription.ready();
      await subscription.seek("start");
      await subscription.close();
    };
    const left = (part: string): Promise<unknown> => handles.send("PTTL", group.part(part, "all"));
    const passed = async (): Promise<string> => String(await handles.send("HGET", cursors, "all"));
    await join("1h");
    await topic.subscriptions.seek("all", "start");
    expect(Number(await left("ordered"))).toBeGreaterThan(0);
    expect(await passed()).toMatch(/^0:\d+$/);
    await join(false);
    await topic.subscriptions.seek("all", "start");
    expect([await left("subscription"), await left("ordered"), await passed()]).toEqual([-1, -1, "0"]);
  });

  it("a shared one keeps its time when it is moved from outside, too", async () => {
    const topic = handles.a.topic<number>(randomName());
    const { group, cursors } = Topic.sourceOf(topic).logs[0]!;
    const subscription = topic.subscribe("all", () => undefined, { kind: "shared", expires: "1h" });
    await subscription.ready();
    await subscription.seek("start");
    await subscription.close();
    await topic.subscriptions.seek("all", "start");
    expect(Number(await handles.send("PTTL", group.part("shared", "all")))).toBeGreaterThan(0);
    expect(String(await handles.send("HGET", cursors, "all"))).toMatch(/^0:\d+$/);
  });

  it("nothing is left where it is removed as its cursor is made again", async () => {
    const topic = handles.a.topic<number>(randomName());
    const { group, cursors } = Topic.sourceOf(topic).logs[0]!;
    const owned = group.part("ordered", "all");
    const subscription = topic.subscribe("all", () => undefined, { lease: "1s" });
    await subscription.ready();
    await until("it owns its partition", async () => (await handles.send("HEXISTS", owned, "owner")) === 1);
    // oxlint-disable-next-line unbound-method
    const { create } = OrderedStore.prototype;
    const late = vi.spyOn(OrderedStore.prototype, "create").mockImplementation(async function (
      this: OrderedStore,
      ...args
    ) {
      await topic.subscriptions.remove("all");
      return create.apply(this, args);
    });
    try {
      await handles.send("DEL", owned);
      await subscription.ended;
    } finally {
      late.mockRestore();
    }
    expect([await handles.send("EXISTS", owned), await handles.send("HEXISTS", cursors, "all")]).toEqual([0, 0]);
  });

  it("a process that is dead keeps nothing for longer than its lease where the clock was set back", async () => {
    const { topic, store, take } = await opened();
    await new Registry(Topic.sourceOf(topic).core, topic.name, undefined).register("all", "ordered", 0);
    await take("a", 1_000);
    await store.beat("a", "process of a", 1_000, true);
    const { group } = Topic.sourceOf(topic).logs[0]!;
    const far = String(Date.now() + 86_400_000);
    await handles.send("HSET", group.part("ordered", "all"), "until", far);
    await handles.send("HSET", group.part("members", "all"), "a", `${far} 1000 process of a`);
    const busy = await store.take(0, "b", "process of b", 1_000);
    expect(busy.status === "busy" && busy.leftMs <= 1_000).toBe(true);
    await until("it is free", async () => (await store.take(0, "b", "process of b", 60_000)).status === "ok");
    await until("its member is gone", async () => {
      const answer = await store.beat("b", "process of b", 60_000, true);
      return answer.status === "ok" && !answer.live.includes("a");
    });
  });

  it("is listed again where the list of subscriptions was evicted", async () => {
    const topic = handles.a.topic<number>(randomName());
    await using subscription = topic.subscribe("all", () => undefined, { lease: "1s" });
    await subscription.ready();
    await handles.send("DEL", Topic.sourceOf(topic).logs[0]!.group.part("subscriptions"));
    await until("it is listed", async () => (await topic.subscriptions.list()).length === 1);
    expect(await topic.subscriptions.list()).toEqual([{ name: "all", kind: "ordered" }]);
  });

  it("is made once; where it was lost, the next owner is told", async () => {
    const { store, take } = await opened();
    await store.create(0, "end", false);
    expect(await store.cursor(0)).toMatchObject({ cursor: 0 });
    await store.remove(0);
    expect(await store.take(0, "a", "x", 1_000)).toEqual({ status: "missing" });
    await store.create(0, "end", true);
    expect(await take("a")).toMatchObject({ cursor: 2, lost: true });
    expect(await store.beat("a", "x", 1_000, true)).toEqual({ status: "missing" });
  });
});
