/**
 * A failover that loses the end of the log: other messages get the offsets of those that are lost. What could go wrong, and the test for each:
 * - what was published since is taken for what is lost, and nobody handles it ... "is handled, and the loss is reported"
 * - an acknowledgement of a lost message settles the one in its place ........... "an acknowledgement of a message that is lost"
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../../test/support/until.ts";
import type { Holdfast } from "../../holdfast.ts";
import { createTestServer, type TestServer } from "../../testing/index.ts";
import type { TopicGap } from "../subscription.ts";
import { Topic } from "../topic.ts";
import { NOWHERE, type Settlement, SharedStore } from "./store.ts";

const OPTIONS = { kind: "shared", start: "start", poll: "200ms", visibility: "1m", drain: 0 } as const;

describe("a shared subscription whose log has lost its end", () => {
  let server: TestServer;
  let hf: Holdfast;
  let other: Holdfast;
  beforeEach(async () => {
    server = await createTestServer();
    [hf, other] = await Promise.all([server.connect(), server.connect()]);
  });
  afterEach(() => server.close());

  it.each([1, 3, 5])("what is published since (%i for 3) is handled, and the loss is reported", async (count) => {
    const topic = hf.topic<string>("t");
    const handled: string[] = [];
    const gaps: TopicGap[] = [];
    const onGap = (gap: TopicGap): void => void gaps.push(gap);
    await using subscription = topic.subscribe("s", ({ payload }) => handled.push(payload), { ...OPTIONS, onGap });
    await subscription.ready();
    await topic.publishMany(["a", "b"].map((message) => ({ message })));
    await until("both are settled", async () => (await subscription.lag()).messages === 0);
    server.faults.stopReplication();
    await topic.publishMany(["lost 1", "lost 2", "lost 3"].map((message) => ({ message })));
    await until("they are settled", async () => (await subscription.lag()).messages === 0);
    server.faults.failover();
    const since = Array.from({ length: count }, (_, at) => `new ${at}`);
    for (const message of since) await other.topic<string>("t").publish(message);
    await until("all are settled", async () => (await subscription.lag()).messages === 0);
    expect(handled).toEqual(["a", "b", "lost 1", "lost 2", "lost 3", ...since]);
    expect(gaps).toMatchObject([{ kind: "reset", partition: 0 }]);
  });

  it("an acknowledgement of a message that is lost does not settle the one in its place", async () => {
    const topic = hf.topic<string>("t");
    const { core, logs } = Topic.sourceOf(topic);
    const parts = { core, topic: "t", subscription: "s", log: logs[0]!, timeoutMs: undefined, expiresMs: 0 };
    const consumer = (name: string): SharedStore => new SharedStore({ ...parts, consumer: name });
    const claimed = async (store: SharedStore): Promise<Settlement> => {
      const terms = { count: 10, visibilityMs: 60_000, start: 0, seen: NOWHERE };
      const { generation, from, count, now } = await store.claim(terms);
      expect(count).toBe(1);
      const [pack] = await Topic.sourceOf(topic).store(0, "test").range(from, 1);
      const token = { member: String(from), tag: 1, generation, dueAt: now + terms.visibilityMs };
      return { token, verb: "ack", ms: 0, point: pack!.point(from) };
    };
    const [first, second] = [consumer("one"), consumer("two")];
    await topic.publish("a");
    expect(await first.settle([await claimed(first)])).toEqual(["ok"]);
    server.faults.stopReplication();
    await topic.publish("lost");
    const lost = await claimed(first);
    server.faults.failover();
    await other.topic("t").publish("new");
    const since = await claimed(second);
    expect(since.token.member).toBe(lost.token.member);
    expect(await first.settle([lost])).toEqual(["stale"]);
    expect(await second.settle([{ ...since, verb: "due" }])).toEqual(["ok"]);
  });
});
