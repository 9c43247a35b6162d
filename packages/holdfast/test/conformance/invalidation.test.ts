import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { InvalidationListener } from "../../src/driver/port.ts";
import { startStandalone, type Standalone } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { call, failureOf, Inbox, openDriver, type OpenDriver, send, slotPrefix, targets } from "./support.ts";

function listenerFor(keys: Inbox<string>, flushes: Inbox<unknown> = new Inbox()): InvalidationListener {
  return { keys: (changed) => changed.forEach((key) => keys.put(key.toString())), flush: flushes.put };
}

describe.each(targets())("invalidation over $transport [$name]", ({ url, options }) => {
  let driver: OpenDriver;
  let other: OpenDriver;
  beforeAll(async () => {
    driver = await openDriver({ url, ...options });
    other = await openDriver({ url, ...options });
  });
  afterAll(async () => {
    await driver.close();
    await other.close();
  });

  it("reports others' changes under the prefix and not of its own", async () => {
    const prefix = slotPrefix();
    const keys = new Inbox<string>();
    const subscription = await driver.onInvalidate(prefix, listenerFor(keys), call());
    await send(driver, ["SET", `${prefix}own`, "x"], "idempotent");
    await send(other, ["SET", `x${prefix}`, "x"], "idempotent");
    await send(other, ["SET", `${prefix}theirs`, "x"], "idempotent");
    await send(other, ["DEL", `${prefix}own`], "idempotent");
    await keys.find((key) => key === `${prefix}own`);
    expect(keys.all).toEqual([`${prefix}theirs`, `${prefix}own`]);
    await subscription.close();
    await send(other, ["DEL", `${prefix}theirs`, `x${prefix}`].slice(0, 2), "idempotent");
    await send(other, ["DEL", `x${prefix}`], "idempotent");
    await send(driver, ["GET", `${prefix}theirs`]);
    expect(keys.all).toHaveLength(2);
  });

  it("serves nested prefixes, which the server alone refuses", async () => {
    const prefix = slotPrefix();
    const [outer, inner] = [new Inbox<string>(), new Inbox<string>()];
    const innerSubscription = await driver.onInvalidate(`${prefix}a:`, listenerFor(inner), call());
    const flushes = new Inbox<unknown>();
    const outerSubscription = await driver.onInvalidate(prefix, listenerFor(outer, flushes), call());
    await send(other, ["SET", `${prefix}a:1`, "x", "PX", "60000"], "idempotent");
    await send(other, ["SET", `${prefix}b:1`, "x", "PX", "60000"], "idempotent");
    await outer.find((key) => key === `${prefix}b:1`);
    expect(outer.all).toEqual([`${prefix}a:1`, `${prefix}b:1`]);
    expect(inner.all).toEqual([`${prefix}a:1`]);
    await outerSubscription.close();
    await send(other, ["SET", `${prefix}a:2`, "x", "PX", "60000"], "idempotent");
    await inner.find((key) => key === `${prefix}a:2`);
    expect(outer.all).toHaveLength(2);
    await innerSubscription.close();
  });

  it("survives a listener that throws", async () => {
    const prefix = slotPrefix();
    const keys = new Inbox<string>();
    const thrower: InvalidationListener = {
      keys: () => {
        throw new Error("listener failed on purpose");
      },
      flush: () => undefined,
    };
    const bad = await driver.onInvalidate(prefix, thrower, call());
    const good = await driver.onInvalidate(prefix, listenerFor(keys), call());
    await send(other, ["SET", `${prefix}1`, "x", "PX", "60000"], "idempotent");
    await keys.find();
    expect(await send(driver, ["GET", `${prefix}1`])).toEqual(Buffer.from("x"));
    await bad.close();
    await good.close();
  });
});

describe("invalidation of a user who may not track any more [standalone]", () => {
  let server: Standalone;
  const may = (sign: "+" | "-") => server.command("ACL", "SETUSER", "app", `${sign}client|tracking`);
  beforeAll(async () => {
    server = await startStandalone();
    await server.command("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all");
  });
  afterAll(() => server.stop());

  it("says of those who listen already that nobody reports, and that what they know may be old", async () => {
    await may("+");
    await using driver = await openDriver({ url: server.url.replace("redis://", "redis://app:secret@") });
    const flushes = new Inbox<unknown>();
    const first = await driver.onInvalidate("a:", listenerFor(new Inbox(), flushes), call());
    expect(first.isLive).toBe(true);
    await may("-");
    const refused = await failureOf(driver.onInvalidate("b:", listenerFor(new Inbox()), call()));
    expect(refused.code).toBe("PERMISSION");
    expect(first.isLive).toBe(false);
    await flushes.find();
    await may("+");
    const third = await driver.onInvalidate("c:", listenerFor(new Inbox()), call());
    expect([first.isLive, third.isLive]).toEqual([true, true]);
  });

  it("carries commands on the next connection, and reports again where it may", async () => {
    await may("+");
    await using driver = await openDriver({ url: server.url.replace("redis://", "redis://app:secret@") });
    const keys = new Inbox<string>();
    const subscription = await driver.onInvalidate("a:", listenerFor(keys), call());
    await may("-");
    await server.command("CLIENT", "KILL", "USER", "app");
    await send(driver, ["GET", "a:1"]);
    expect(subscription.isLive).toBe(false);
    await may("+");
    await server.command("CLIENT", "KILL", "USER", "app");
    await until("changes are reported again", () => subscription.isLive);
    await server.command("SET", "a:1", "x");
    await keys.find((key) => key === "a:1");
  });
});
