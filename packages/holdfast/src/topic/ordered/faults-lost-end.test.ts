/**
 * A log that has lost its end, as after a failover. What could go wrong, and the test for each:
 * - nobody is told, where a commit hears of it before the reader ............... "that is told, also where a commit is the first to hear of it"
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

  it("that is told, also where a commit is the first to hear of it; what is published since is handled", async () => {
    const { a, b } = handles;
    const topic = a.topic<string>(randomName());
    const handled: string[] = [];
    const gaps: TopicGap[] = [];
    const [begun, end] = [new Deferred<void>(), new Deferred<void>()];
    await using subscription = topic.subscribe(
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
    await topic.publish("a");
    await until("it is committed", async () => (await subscription.lag()).partitions[0]!.committed === 1);
    const { log, meta } = Topic.sourceOf(topic).logs[0]!;
    const call = { op: "test", class: "unsafe" } as const;
    const send = (...args: (string | Buffer)[]): Promise<unknown> => b.driver.send(args, call, log);
    const kept = await Promise.all([log, meta].map(async (key) => [key, (await send("DUMP", key)) as Buffer] as const));
    await topic.publish("lost");
    await begun.promise;
    for (const [key, bytes] of kept) await send("RESTORE", key, "0", bytes, "REPLACE");
    end.resolve();
    await until("it is told", () => gaps.length > 0);
    await b.topic<string>(topic.name).publish("new");
    await until("it is handled", () => handled.includes("new"));
    expect(gaps).toMatchObject([{ kind: "reset", partition: 0 }]);
    expect(handled).toEqual(["a", "lost", "new"]);
  });
});
