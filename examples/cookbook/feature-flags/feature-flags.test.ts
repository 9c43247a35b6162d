// What could go wrong, and the test for each:
// - a process does not hear of a change ............ "a change reaches every process"
// - two changes at one time undo each other ........ the same
// - a process without flags while the server is away ... "goes on with the flags that it knows"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { createTestServer } from "holdfast/testing";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { FeatureFlags, flagsValue, setFlag } from "./feature-flags.ts";

describe.each(backends("standalone", "embedded"))("cookbook: feature flags [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles.push(...(await Promise.all([1, 2, 3].map(() => connect(url, { ...options, prefix })))));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("a change reaches every process, and two changes at one time are both kept", async () => {
    const processes = await Promise.all(handles.map((hf) => FeatureFlags.start(flagsValue(hf))));
    for (const flags of processes) expect([flags.get("newCheckout"), flags.get("darkMode")]).toEqual([false, 0]);
    await Promise.all([
      setFlag(flagsValue(handles[0]!), "newCheckout", true),
      setFlag(flagsValue(handles[1]!), "darkMode", 20),
    ]);
    await until("all know", () => processes.every((flags) => flags.get("newCheckout") && flags.get("darkMode") === 20));
    expect(processes.map((flags) => flags.stale)).toEqual([false, false, false]);
    await Promise.all(processes.map((flags) => flags[Symbol.asyncDispose]()));
  });
});

describe("cookbook: feature flags [embedded, with faults]", () => {
  it("goes on with the flags that it knows while the server is away", async () => {
    await using server = await createTestServer();
    await using hf = await connect(await server.listen(), { timeout: "200ms" });
    await setFlag(flagsValue(hf), "newCheckout", true);
    await using flags = await FeatureFlags.start(flagsValue(hf));
    const fault = server.faults.down();
    await until("it knows that it may be stale", () => flags.stale);
    expect(flags.get("newCheckout")).toBe(true);
    fault.heal();
    await until("it knows again", () => !flags.stale);
  });
});
