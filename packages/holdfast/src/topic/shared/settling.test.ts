/**
 * What could go wrong, and the test for each:
 * - what is given up is counted as held for ever ... "what the server will never take is stale"
 */
import { expect, it } from "vitest";
import { HoldfastError } from "../../base/errors.ts";
import { systemRuntime } from "../../base/runtime.ts";
import { Settling } from "./settling.ts";
import type { SharedStore } from "./store.ts";

it("what the server will never take is stale, so that its place is free again", async () => {
  const store = { settle: () => Promise.reject(new HoldfastError("PERMISSION", "no rights")) };
  const settling = new Settling(store as unknown as SharedStore, systemRuntime, new AbortController().signal);
  const token = { member: "1", tag: 1, generation: 1, dueAt: 1 };
  const status = new Promise((resolve) => {
    settling.add({ token, verb: "ack", ms: 0, settled: resolve });
  });
  expect(await status).toBe("stale");
  await settling.idle();
});
