/**
 * What could go wrong, and the test for each:
 * - the answer to a change is lost, and it is made twice ........ "is made once"
 * - a repeat undoes what another has changed meanwhile .......... "undoes nothing"
 * - clients stop while the server is away ....................... "goes on with what it knows"
 * - a failover has lost the last change ......................... "never goes back"
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../test/support/until.ts";
import type { Holdfast } from "../holdfast.ts";
import { createTestServer, type TestServer } from "../testing/index.ts";
import type { FlagDefinition } from "./definition.ts";

const ON: FlagDefinition<boolean> = { variants: { on: true, off: false }, default: "on" };
const OFF: FlagDefinition<boolean> = { ...ON, default: "off" };

describe("flags under faults", () => {
  let server: TestServer;
  let hf: Holdfast;
  let other: Holdfast;
  beforeEach(async () => {
    server = await createTestServer();
    [hf, other] = await Promise.all([server.connect(), server.connect()]);
  });
  afterEach(() => server.close());

  it("a change whose answer was lost is made once", async () => {
    const flags = hf.flags("f");
    await flags.set("a", ON);
    server.faults.dropReplies();
    const { version } = (await flags.set("a", OFF)) as { version: number };
    expect(await flags.get("a")).toEqual({ flag: OFF, version });
    expect(await flags.history()).toHaveLength(2);
  });

  it("a client goes on with what it knows while the server is away, and hears of what changed meanwhile", async () => {
    const flags = hf.flags("f");
    await flags.set("a", ON);
    await using live = other.flags("f").client();
    await live.ready();
    const fault = server.faults.down();
    await until("it is stale", () => live.stale);
    expect(live.evaluate("a", false)).toMatchObject({ value: true, reason: "STALE" });
    fault.heal();
    await flags.set("a", OFF);
    await until("it knows again", () => !live.stale && !live.value("a", true));
    expect(live.evaluate("a", true).reason).toBe("STATIC");
  });

  it("never goes back to what a failover has brought back: it is stale until the next change", async () => {
    const flags = hf.flags("f");
    await flags.set("a", ON);
    await using live = other.flags("f").client();
    await live.ready();
    server.faults.stopReplication();
    await flags.set("a", OFF);
    await until("it is off", () => !live.value("a", true));
    server.faults.failover();
    await until("it is stale", () => live.stale);
    expect(live.value("a", true)).toBe(false);
    await flags.set("a", ON);
    await until("it knows again", () => !live.stale && live.value("a", false));
    expect(live.value("a", false)).toBe(true);
  });
});
