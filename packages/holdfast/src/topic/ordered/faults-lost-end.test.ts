/**
 * A log that has lost its end, as after a failover. What could go wrong, and the test for each:
 * - nobody is told, where a commit hears of it before the reader ............... "that is told, also where a commit is the first to hear of it"
 * - nobody is told, where the last commits are lost too ....................... "and where the last commits are lost with it"
 * - what was published since is taken for what is lost, and nobody handles it ... "what is published since is handled"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import type { TopicGap } from "../subscription.ts";
import { Topic } from "../topic.ts";

describe.each(backends("standalone"))("an ordered subscription whose log has lost its end [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  /** A subscription that has handled "a"; of what is published as "lost" its handler waits for `end`. */
  async function fixture() {
    const { a, b } = handles;
    const topic = a.topic<string>(randomName());
    const handled: string[] = [];
    const gaps: TopicGap[] = [];
    const [begun, end] = [new Deferred<void>(), new Deferred<void>()];
    const subscription = topic.subscribe(
      "s",
      async ({ payload }) => {
        if (payload === "lost") {
          begun.resolve();
          await end.promise;
        }
        handled.push(payload);
      },
      { start: "start", lease: "10s", onGap: (gap) => void gaps.push(gap) },
    );
    await subscription.ready();
    const committed = (offset: number): Promise<unknown> =>
      until("it is committed", async () => (await subscription.lag()).partitions[0]!.committed === offset);
    await topic.publish("a");
    await committed(1);
    const { log, meta, group } = Topic.sourceOf(topic).logs[0]!;
    const call = { op: "test", class: "unsafe" } as const;
    const send = (...args: (string | Buffer)[]): Promise<unknown> => b.driver.send(args, call, log);
    /** Returns what brings these keys back to what they are now. */
    const keep = async (...keys: string[]): Promise<() => Promise<void>> => {
      const kept = await Promise.all(keys.map(async (key) => [key, (await send("DUMP", key)) as Buffer] as const));
      return async () => {
        for (const [key, bytes] of kept) await send("RESTORE", key, "0", bytes, "REPLACE");
      };
    };
    const keys = { log, meta, state: group.part("ordered", "s") };
    const theirs = b.topic<string>(topic.name);
    return { topic, theirs, subscription, handled, gaps, begun, end, committed, keep, keys };
  }

  it("that is told, also where a commit is the first to hear of it; what is published since is handled", async () => {
    const { topic, theirs, subscription, handled, gaps, begun, end, keep, keys } = await fixture();
    await using _ = subscription;
    const restore = await keep(keys.log, keys.meta);
    await topic.publish("lost");
    await begun.promise;
    await restore();
    end.resolve();
    await until("it is told", () => gaps.length > 0);
    await theirs.publish("new");
    await until("it is handled", () => handled.includes("new"));
    expect(gaps).toMatchObject([{ kind: "reset", partition: 0 }]);
    expect(handled).toEqual(["a", "lost", "new"]);
  });

  it("and where the last commits are lost with it", async () => {
    const { topic, theirs, subscription, handled, gaps, begun, end, committed, keep, keys } = await fixture();
    await using _ = subscription;
    const restore = await keep(keys.log, keys.meta, keys.state);
    await topic.publish("b");
    await committed(2);
    await topic.publish("lost");
    await begun.promise;
    await restore();
    end.resolve();
    await until("it is told", () => gaps.length > 0);
    await theirs.publish("new");
    await until("it is handled", () => handled.includes("new"));
    expect(gaps).toMatchObject([{ kind: "reset", partition: 0 }]);
    expect(handled).toEqual(["a", "b", "lost", "new"]);
  });
});
