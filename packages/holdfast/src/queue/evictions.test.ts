// What could go wrong, and the test for each: a server that evicts one key of a queue leaves a worker that crashes, hangs
// or asks without end, or a queue that takes no more jobs ... "goes on after the loss of ..."
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { until } from "../../test/support/until.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";

describe.each(backends())("a queue whose keys are evicted [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it.each(["jobs", "normal", "low", "delayed", "active", "workers", "unique", "windows"])(
    "goes on after the loss of %s",
    async (part) => {
      const queue = hf.queue<number>(randomUUID());
      const gate = new Deferred<undefined>();
      await queue.addMany([1, 2, 3]);
      await queue.add(4, { priority: "low" });
      await queue.add(5, { delay: "1h" });
      await queue.add(6, { unique: { key: "x", for: "1h" } });
      await using worker = queue.work(() => gate.promise, { concurrency: 1, lease: "1s" });
      await until("one runs", () => worker.running === 1);
      const lost: string[] = [];
      for await (const keys of hf.scan(`queue:{${queue.name}}`))
        lost.push(...keys.filter((key) => key.split("}:")[1]!.split(":")[0] === part));
      expect(lost).toHaveLength(1);
      await hf.command("DEL", lost[0]!);
      gate.resolve(undefined);
      const after = await queue.add(7, { result: true });
      expect(await after.result()).toMatchObject({ status: "ok" });
      await until("nothing waits", async () => (await queue.counts()).waiting === 0);
      await worker.close();
      expect((await queue.counts()).workers).toBe(0);
    },
  );
});
