// - a step is done twice after a failure ................ "does each step once, whatever fails in between"
// - an order that fails keeps the money ................. "undoes in reverse what an order did that cannot be completed"
// - a large order is shipped without approval ........... "waits for an approval"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { fulfil, orderQueue, type Shop } from "./order-saga.ts";

describe.each(backends("standalone", "embedded"))("cookbook: order saga [$name]", ({ url, options }) => {
  let hf: Holdfast;
  const log: string[] = [];
  let failures = 0;
  const shop: Shop = {
    reserve: async (_, sku, count) => `${log.push(`reserve ${count} ${sku}`)}`,
    release: async () => void log.push("release"),
    charge: async (_, card) => `${log.push(`charge ${card}`)}`,
    refund: async () => void log.push("refund"),
    ship: async () => {
      log.push("ship");
      if (failures > 0) {
        failures -= 1;
        throw new Error("no lorry");
      }
      return "parcel";
    },
  };

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `cook-${randomUUID()}` });
  });
  beforeEach(() => void (log.length = 0));
  afterAll(() => hf.close());

  it("does each step once, whatever fails in between", async () => {
    failures = 2;
    const orders = orderQueue(hf);
    await using _worker = fulfil(orders, shop);
    const order = await orders.add({ sku: "lamp", count: 1, card: "ada" }, { result: true });
    expect(await order.result()).toEqual({ status: "ok", value: { parcel: "parcel" } });
    expect(log).toEqual(["reserve 1 lamp", "charge ada", "ship", "ship", "ship"]);
  });

  it("undoes in reverse what an order did that cannot be completed", async () => {
    failures = 3;
    const orders = orderQueue(hf);
    await using _worker = fulfil(orders, shop);
    const order = await orders.add({ sku: "lamp", count: 2, card: "bob" }, { result: true });
    expect(await order.result()).toEqual({ status: "dead", message: "no lorry" });
    expect(log).toEqual(["reserve 2 lamp", "charge bob", "ship", "ship", "ship", "refund", "release"]);
  });

  it("waits for an approval, also if it comes to another worker", async () => {
    const orders = orderQueue(hf);
    const first = fulfil(orders, shop);
    const order = await orders.add({ sku: "lamp", count: 20, card: "eve" }, { result: true });
    await until("it waits", async () => (await orders.counts()).delayed === 1);
    await first.close();
    await orders.signal(order.id, "approved", { by: "ada" });
    await using _second = fulfil(orders, shop);
    expect(await order.result()).toEqual({ status: "ok", value: { parcel: "parcel" } });
    expect(log).toEqual(["reserve 20 lamp", "charge eve", "ship"]);
  });
});
