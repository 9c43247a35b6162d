/**
 * With OpenFeature's own SDK. What could go wrong, and the test for each:
 * - values, reasons or codes are not the SDK's ................. "evaluates"
 * - a first failure is one for ever ........................... "initialisation that failed"
 * - a change is not told, or an outage ......................... "tells of changes"
 * - it goes on after it was replaced ........................... "ends"
 * - it was closed while stale, and is silent the next time ..... "begun again"
 */
import { OpenFeature, ProviderEvents, ServerProviderStatus } from "@openfeature/server-sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../../test/support/until.ts";
import type { Holdfast } from "../../holdfast.ts";
import { createTestServer, type TestServer } from "../../testing/index.ts";
import { HoldfastProvider } from "./index.ts";

describe("a provider for OpenFeature", () => {
  let server: TestServer;
  let hf: Holdfast;
  beforeEach(async () => {
    server = await createTestServer();
    hf = await server.connect();
  });
  afterEach(async () => {
    await OpenFeature.clearProviders();
    await server.close();
  });

  it("evaluates with the SDK's values, reasons, codes and metadata", async () => {
    const flags = hf.flags("web");
    const rules = [{ name: "germans", when: { country: "DE" }, serve: "on" }];
    await flags.set("checkout", { variants: { on: true, off: false }, default: "off", rules });
    await flags.set("limit", { variants: { high: 50 }, default: "high" });
    await flags.set("theme", { variants: { dark: "dark" }, default: { dark: 1 } });
    await flags.set("page", { variants: { big: { rows: 50 } }, default: "big" });
    await OpenFeature.setProviderAndWait(new HoldfastProvider(flags));
    const client = OpenFeature.getClient();
    expect(await client.getBooleanDetails("checkout", false, { targetingKey: "u", country: "DE" })).toMatchObject({
      value: true,
      variant: "on",
      reason: "TARGETING_MATCH",
      flagMetadata: { rule: "germans" },
    });
    expect(await client.getBooleanDetails("checkout", true)).toMatchObject({ value: false, reason: "DEFAULT" });
    expect(await client.getNumberValue("limit", 5)).toBe(50);
    expect(await client.getStringDetails("theme", "light", { targetingKey: "u" })).toMatchObject({
      value: "dark",
      reason: "SPLIT",
    });
    expect(await client.getStringDetails("theme", "light")).toMatchObject({
      value: "light",
      errorCode: "TARGETING_KEY_MISSING",
    });
    expect(await client.getObjectValue("page", { rows: 1 })).toEqual({ rows: 50 });
    expect(await client.getStringDetails("limit", "x")).toMatchObject({ value: "x", errorCode: "TYPE_MISMATCH" });
    expect(await client.getBooleanDetails("none", true)).toMatchObject({ value: true, errorCode: "FLAG_NOT_FOUND" });
  });

  it("after an initialisation that failed it is ready once the flags can be read", async () => {
    const flags = hf.flags("web");
    const key = hf.key("x", "y").replace(/key:.*$/, "flags:{web}");
    await hf.driver.send(["SET", key, "no hash"], { op: "test", class: "idempotent" }, key);
    const provider = new HoldfastProvider(flags);
    const told: string[] = [];
    provider.events.addHandler(ProviderEvents.Ready, () => void told.push("ready"));
    await expect(provider.initialize()).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await hf.driver.send(["DEL", key], { op: "test", class: "idempotent" }, key);
    await flags.set("a", { variants: { on: true }, default: "on" });
    await until("it is ready", () => told.length > 0);
    await provider.initialize();
    expect(told).toEqual(["ready"]);
    expect(await provider.resolveBooleanEvaluation("a", false, {})).toMatchObject({ value: true });
    await provider.onClose();
  });

  it("tells of changes and of outages, and ends with the SDK", async () => {
    const flags = hf.flags("web");
    await flags.set("a", { variants: { on: true }, default: "on" });
    await OpenFeature.setProviderAndWait(new HoldfastProvider(hf.flags("web", { timeout: "500ms" })));
    const client = OpenFeature.getClient();
    const told: string[] = [];
    client.addHandler(ProviderEvents.ConfigurationChanged, (details) => void told.push(String(details?.flagsChanged)));
    client.addHandler(ProviderEvents.Stale, () => void told.push("stale"));
    await flags.set("b", { variants: { on: true }, default: "on" });
    await until("the change", () => told.includes("b"));
    const fault = server.faults.down();
    await until("the outage", () => told.includes("stale"));
    expect(await client.getBooleanDetails("a", false)).toMatchObject({ value: true, reason: "STALE" });
    fault.heal();
    await until("it knows again", () => client.providerStatus === ServerProviderStatus.READY);
    await OpenFeature.clearProviders();
    const count = told.length;
    await flags.delete("b");
    await hf.ping();
    expect(told).toHaveLength(count);
  });

  it("tells that flags are stale after it was closed while they were, and begun again", async () => {
    const flags = hf.flags("web");
    const provider = new HoldfastProvider(flags);
    const key = "hf:flags:{web}";
    const call = { op: "test", class: "unsafe" } as const;
    let told = 0;
    provider.events.addHandler(ProviderEvents.Stale, () => void (told += 1));
    for (const time of [1, 2]) {
      await flags.set("a", { variants: { on: true }, default: "on" });
      await provider.initialize();
      await hf.driver.send(["DEL", key], call, key); // as an eviction would
      await hf.driver.send(["PUBLISH", "hf:flags:web", "0"], call);
      await until("it tells", () => told === time);
      await provider.onClose();
    }
    expect(told).toBe(2);
  });
});
