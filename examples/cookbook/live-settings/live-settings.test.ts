// What could go wrong, and the test for each:
// - a process does not hear of a change ............ "a change reaches every process"
// - two changes at one time undo each other ........ the same
// - a process without settings while the server is away ... "goes on with the settings that it knows"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { createTestServer } from "holdfast/testing";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { LiveSettings, settingsValue, setSetting } from "./live-settings.ts";

describe.each(backends("standalone", "embedded"))("cookbook: live settings [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles.push(...(await Promise.all([1, 2, 3].map(() => connect(url, { ...options, prefix })))));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("a change reaches every process, and two changes at one time are both kept", async () => {
    const processes = await Promise.all(handles.map((hf) => LiveSettings.start(settingsValue(hf))));
    for (const settings of processes) expect([settings.get("readOnly"), settings.get("pageSize")]).toEqual([false, 0]);
    await Promise.all([
      setSetting(settingsValue(handles[0]!), "readOnly", true),
      setSetting(settingsValue(handles[1]!), "pageSize", 20),
    ]);
    await until("all know", () =>
      processes.every((settings) => settings.get("readOnly") && settings.get("pageSize") === 20),
    );
    expect(processes.map((settings) => settings.stale)).toEqual([false, false, false]);
    await Promise.all(processes.map((settings) => settings[Symbol.asyncDispose]()));
  });
});

describe("cookbook: live settings [embedded, with faults]", () => {
  it("goes on with the settings that it knows while the server is away", async () => {
    await using server = await createTestServer();
    await using hf = await connect(await server.listen(), { timeout: "200ms" });
    await setSetting(settingsValue(hf), "readOnly", true);
    await using settings = await LiveSettings.start(settingsValue(hf));
    const fault = server.faults.down();
    await until("it knows that it may be stale", () => settings.stale);
    expect(settings.get("readOnly")).toBe(true);
    fault.heal();
    await until("it knows again", () => !settings.stale);
  });
});
