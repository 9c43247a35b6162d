// What could go wrong, and the test for each:
// - a process begins with a part of the settings ........... "has all settings before it begins"
// - a change reaches only some ............................... "is heard by every process"
// - two who change at once overwrite each other ............ "of two who change a setting at once"
// - settings are lost with retention, or with the server ... "outlive the log", "a flushed server"
import { afterAll, describe, expect, it } from "vitest";
import { randomUUID } from "node:crypto";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { LiveConfig } from "./live-config.ts";

describe.each(backends("standalone", "embedded"))("cookbook: live configuration [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  const process = async (prefix: string): Promise<Holdfast> => {
    const hf = await connect(url, { ...options, prefix, timeout: "30s" });
    handles.push(hf);
    return hf;
  };
  const both = async (): Promise<[Holdfast, Holdfast]> => {
    const prefix = `cook-${randomUUID()}`;
    return [await process(prefix), await process(prefix)];
  };
  const all = async (hf: Holdfast): Promise<string[]> => {
    const names: string[] = [];
    for await (const page of hf.scan("topic")) names.push(...page);
    return names;
  };
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  it("a process has all settings before it begins, and a change is heard by every process", async () => {
    const [here, there] = await both();
    await using a = new LiveConfig(here);
    for (let at = 0; at < 50; at += 1) await a.change(`limit${at}`, () => at);
    await a.change("limit7", () => undefined);
    const heard: string[] = [];
    await using b = new LiveConfig(there, (name) => heard.push(name));
    await b.ready();
    expect(b.get("limit49")).toBe(49);
    expect(b.get("limit7")).toBeUndefined();
    expect(heard).toEqual([]);
    await b.change("limit1", () => 100);
    await b.change("limit2", () => undefined);
    await until(
      "both have heard",
      () => a.get("limit1") === 100 && a.get("limit2") === undefined && heard.length === 2,
    );
    expect(heard).toEqual(["limit1", "limit2"]);
  });

  it("of two who change a setting at once neither is overwritten", async () => {
    const [here, there] = await both();
    await using a = new LiveConfig(here);
    await using b = new LiveConfig(there);
    const add = (config: LiveConfig): Promise<void> => config.change("count", (now) => Number(now ?? 0) + 1);
    await Promise.all([a, b, a, b, a, b].map(add));
    await until("both have it", () => a.get("count") === 6 && b.get("count") === 6);
    await using later = new LiveConfig(there);
    await later.ready();
    expect(later.get("count")).toBe(6);
  });

  it("settings outlive the log, and a flushed server leaves no old ones", async () => {
    const [here, there] = await both();
    await using a = new LiveConfig(here);
    await a.change("old", () => true);
    const log = (await all(here)).find((name) => name.endsWith(":log"))!;
    await here.command("XTRIM", log, "MAXLEN", "0");
    await using b = new LiveConfig(there);
    await b.ready();
    expect(b.get("old")).toBe(true);
    for (const name of await all(there)) await there.command("UNLINK", name);
    await b.change("new", () => 1);
    await until("only the new one is there", () => b.get("new") === 1 && b.get("old") === undefined);
  });
});
