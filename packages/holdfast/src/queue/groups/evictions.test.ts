// What could go wrong, and the test for each: a server that evicts one key of the groups leaves a group that nobody claims from,
// a place that is taken for ever, or a count that is never right again ... "goes on after the loss of ..."
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";

describe.each(backends())("a queue with groups whose keys are evicted [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it.each([
    "jobs",
    "group",
    "groups",
    "passed",
    "known",
    "places",
    "limits",
    "later",
    "halted",
    "heads",
    "control",
    "rate",
    "active",
    "workers",
    "dead",
  ])("goes on after the loss of %s", async (part) => {
    const queue = hf.queue<number>(randomUUID(), { attempts: 1 });
    const gate = new Deferred<undefined>();
    await queue.limits.set({ concurrency: 20, rate: { limit: 1_000, per: "1s" } });
    await queue.groups.set("a", { concurrency: 1 });
    await queue.groups.set("slow", { rate: { limit: 1, per: "100ms" } });
    await queue.groups.set("strict", { order: "strict" });
    await queue.groups.pause("paused");
    for (const group of ["a", "slow", "strict", "paused"]) await queue.addMany([1, 2], { group });
    await using worker = queue.work(
      async ({ payload }) => {
        if (payload === 0) throw new Error("no");
        await gate.promise;
      },
      { concurrency: 10, lease: "1s", poll: 50 },
    );
    await until("those that may run do", () => worker.running === 4);
    await queue.groups.set("head", { order: "strict" });
    await queue.addMany([0, 1], { group: "head" });
    await until("one is dead, and the other waits for it", async () => (await queue.counts()).dead === 1);
    const lost: string[] = [];
    for await (const keys of hf.scan(`queue:{${queue.name}}`))
      lost.push(...keys.filter((key) => key.split("}:")[1]!.split(":")[0] === part));
    for (const key of lost) await hf.command("DEL", key);
    gate.resolve(undefined);
    await queue.groups.resume("paused");
    for (const { id } of (await queue.dead.page()).jobs) await queue.remove(id);
    for (const group of ["a", "slow", "strict", "paused", "head"]) {
      const after = await queue.add(7, { group, result: true });
      expect(await after.result({ timeout: "5s" })).toMatchObject({ status: "ok" });
    }
    await until("nothing waits", async () => (await queue.counts()).waiting === 0);
    await until("no place is taken", async () =>
      (await queue.groups.page()).groups.every(({ running, waiting }) => running === 0 && waiting === 0),
    );
  });
});
