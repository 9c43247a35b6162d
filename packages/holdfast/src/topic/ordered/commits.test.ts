/**
 * What could go wrong, and the test for each:
 * - a commit that is due while nothing can be committed is the last one ... "commits go on"
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";

/** Longer than it takes until a commit is due. */
const DUE_MS = 250;

describe.each(backends("standalone", "embedded"))("commits of an ordered subscription [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: randomName() });
  });
  afterAll(() => hf.close());

  it("commits go on after one was due while the lowest message was still in work", async () => {
    const topic = hf.topic<string>(randomName());
    const ended: string[] = [];
    let open!: () => void;
    const opened = new Promise<void>((resolve) => (open = resolve));
    await using subscription = topic.subscribe("s", async ({ payload }) => {
      if (payload === "slow") await opened;
      ended.push(payload);
    });
    await subscription.ready();
    const allCommitted = async (): Promise<boolean> => (await subscription.lag()).messages === 0;
    await topic.publish("first");
    await until("it is committed", async () => ended.includes("first") && (await allCommitted()));
    await topic.publish("slow", { key: "a" });
    await topic.publish("fast", { key: "b" });
    await until("the fast one has ended", () => ended.includes("fast"));
    await sleep(DUE_MS);
    open();
    await until("both are committed", allCommitted);
    expect(ended).toEqual(["first", "fast", "slow"]);
  });
});
