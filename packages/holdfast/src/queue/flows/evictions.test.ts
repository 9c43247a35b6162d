// What could go wrong, and the test for each: a server that evicts one key of what stands beside the jobs leaves a queue that takes no new work, a
// worker that does not end, or a job that can neither run nor be removed ... "goes on after the loss of ..."
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { QueueJob } from "../job.ts";

/** Of these a flow cannot be told any more that its children are over: it waits until it is cancelled. */
const PARTS_OF_FLOWS = new Set(["blocked", "children"]);

describe.each(backends("standalone", "cluster", "embedded"))(
  "a queue of flows, steps and schedules whose keys are evicted [$name]",
  ({ url, options }) => {
    let hf: Holdfast;
    beforeAll(async () => {
      hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
    });
    afterAll(() => hf.close());

    it.each([
      "idle",
      "op",
      "reruns",
      "steps",
      "kept",
      "completed",
      "dead",
      "blockedAt",
      "blocked",
      "meta",
      "children",
      "control",
      "ticks",
      "scheduleNames",
      "scheduleStates",
      "schedules",
    ])("goes on after the loss of %s", async (part) => {
      const queue = hf.queue<string, string>(randomUUID(), { attempts: 1, keep: { completed: 100 } });
      const gate = new Deferred<undefined>();
      const handle = async (job: QueueJob<string>): Promise<string> => {
        if (job.payload === "dies") throw new Error("as it should");
        if (job.payload === "sleeps") await job.sleep(await job.step("name", () => "nap"), "1h");
        if (job.payload === "waits") await job.waitFor("go");
        if (job.payload === "gate") await gate.promise;
        return "done";
      };
      const daily = { every: "1h", payload: "tick" } as const;
      await queue.schedules.set("hourly", daily);
      await queue.limits.set({ concurrency: 50 });
      await queue.addMany(["dies", "well", "sleeps"]);
      await queue.add("waits", { id: "waits" });
      const children = [queue.child("gate"), queue.child("gate")];
      const parent = await queue.add("parent", { result: true, children });
      const rerun = { unique: { key: "again", mode: "rerun" } } as const;
      await queue.add("gate", rerun);
      const worker = queue.work(handle, { concurrency: 20 });
      await until("what can run does", async () => {
        const { waiting, dead, active } = await queue.counts();
        return waiting === 0 && dead === 1 && active === 3;
      });
      await queue.add("gate", rerun);

      const lost: string[] = [];
      for await (const keys of hf.scan(`queue:{${queue.name}}`))
        lost.push(...keys.filter((key) => key.split("}:")[1]!.split(":")[0] === part));
      expect(lost.length).toBeGreaterThan(0);
      for (const key of lost) await hf.command("DEL", key);
      gate.resolve(undefined);

      const plain = await queue.add("well", { result: true });
      expect(await plain.result()).toEqual({ status: "ok", value: "done" });
      const flow = await queue.add("well", { result: true, children: [queue.child("well")] });
      expect(await flow.result()).toEqual({ status: "ok", value: "done" });
      await queue.signal("waits", "go");
      if (PARTS_OF_FLOWS.has(part)) await parent.cancel();
      const ended = await parent.result();
      expect(ended.status).toBe(PARTS_OF_FLOWS.has(part) ? "cancelled" : "ok");
      await queue.schedules.set("hourly", daily);
      expect(await queue.schedules.runNow("hourly")).toMatchObject({ status: "ok" });
      await until("nothing is left but what sleeps", async () => {
        const { waiting, active, blocked } = await queue.counts();
        return waiting + active + blocked === 0;
      });
      await worker.close();
      expect(await queue.obliterate()).toEqual({ status: "ok" });
    });
  },
);
