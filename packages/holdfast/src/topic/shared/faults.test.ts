/**
 * On a server of this file's own. What could go wrong, and the test for each:
 * - memory is full: what runs is lost to others, or nothing can be consumed ... "memory is full"
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStandalone, type Standalone } from "../../../test/support/servers.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";

describe("shared subscriptions under faults", () => {
  let server: Standalone;
  let hf: Holdfast;
  beforeAll(async () => {
    server = await startStandalone();
    hf = await connect(server.url);
  });
  afterAll(async () => {
    await hf?.close();
    await server?.stop();
  });

  it("memory is full: messages are claimed, kept while their handlers run, and acknowledged", async () => {
    const topic = hf.topic<number>("t");
    await topic.publishMany([{ message: 0 }, { message: 1 }]);
    const end = new Deferred<void>();
    let runs = 0;
    const options = { kind: "shared", start: "start", visibility: "600ms", concurrency: 1, prefetch: 0 } as const;
    await using subscription = topic.subscribe("s", () => ((runs += 1), end.promise), options);
    await until("it runs", () => runs > 0);
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      const since = performance.now();
      await until("three visibilities", () => performance.now() - since > 1_800);
      expect(runs).toBe(1);
      end.resolve();
      await until("both", () => subscription.stats().handled === 2);
      expect(runs).toBe(2);
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
  });
});
