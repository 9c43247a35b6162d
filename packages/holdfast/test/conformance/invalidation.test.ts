import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { InvalidationListener } from "../../src/driver/port.ts";
import { call, Inbox, openDriver, type OpenDriver, send, slotPrefix, targets } from "./support.ts";

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
