/**
 * What could go wrong, and the test for each:
 * - the answer to a change is lost, and it is made twice ........ "is made once"
 * - a repeat undoes what another has changed meanwhile .......... "undoes nothing"
 * - clients stop while the server is away ....................... "goes on with what it knows"
 * - a failover has lost the last change ......................... "never goes back"
 * - an error that is no outage makes it forget what it knows .... "forgets nothing"
 * - the history has a change twice .............................. "each change once"
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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
    await using live = other.flags("f", { timeout: "500ms" }).client();
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

  it("forgets nothing where it is refused for another reason than an outage, such as a key of another type", async () => {
    const flags = hf.flags("f");
    await flags.set("a", ON);
    const errors: unknown[] = [];
    await using live = other.flags("f").client({ onError: (error) => errors.push(error) });
    await live.ready();
    const key = "hf:flags:{f}";
    const call = { op: "test", class: "unsafe" } as const;
    await hf.driver.send(["SET", key, "text"], call, key);
    await hf.driver.send(["PUBLISH", "hf:flags:f", "0"], call);
    await until("it was refused", () => errors.length > 0);
    await hf.driver.send(["DEL", key], call, key);
    const sent = vi.spyOn(other.driver, "send");
    await until("it has read again", () => sent.mock.calls.some(([args]) => args[0] === "HGETALL"));
    await other.ping();
    expect([live.stale, live.value("a", false)]).toEqual([true, true]);
    await flags.set("b", ON);
    await until("it knows again", () => !live.stale);
    expect(live.names).toEqual(["b"]);
  });

  it("the history has each change once though one is made while it is read", async () => {
    const flags = hf.flags("f");
    await Promise.all(Array.from({ length: 501 }, () => flags.set("a", ON)));
    const { driver } = hf;
    const send = driver.send.bind(driver);
    vi.spyOn(driver, "send").mockImplementation(async (...sent) => {
      const reply = await send(...sent);
      if (sent[0][0] === "LRANGE" && sent[0][2] === "0") await other.flags("f").set("a", OFF);
      return reply;
    });
    const notes = await flags.history({ limit: 1_000 });
    expect(notes).toHaveLength(501);
    expect(new Set(notes.map(({ version }) => version)).size).toBe(501);
  });
});
