// What could go wrong, and the test for each:
// - a service dies with orders in work, and they are lost ........ "ships each order once"
// - what it had done is done again: charged or shipped twice ..... the same
// - a customer's orders overtake each other ...................... the same
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { type Order, placeOrder, shipPaid, takePayments, topicOf } from "./order-pipeline.ts";

describe.each(backends("standalone", "embedded"))("cookbook: order pipeline [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    handles.push(...(await Promise.all([1, 2].map(() => connect(url, { ...options, prefix })))));
  });
  afterAll(() => Promise.all(handles.map((handle) => handle.close())));

  it("ships each order once, in the order of each customer, also where a payment service dies at work", async () => {
    const [shop, dying] = handles as [Holdfast, Holdfast];
    const orders = Array.from({ length: 40 }, (_, at): Order => ({
      id: `o${at}`,
      customer: `c${at % 5}`,
      cents: 100 + at,
    }));
    const charged = new Map<string, number>();
    const shipped: Order[] = [];
    await using _watch = topicOf(shop, "shipments").subscribe("watch", ({ payload }) => void shipped.push(payload), {
      start: "start",
    });
    await using _shipping = shipPaid(shop, "1s");
    let asked = 0;
    const first = takePayments(
      dying,
      async ({ id, cents }) => {
        asked += 1;
        charged.set(id, cents);
        // Its connection is gone, and it with it: nothing is given back, and nothing more is told.
        if (asked === 10) await dying.driver.close();
      },
      "1s",
    );
    await first.ready();
    await Promise.all(orders.map((order) => placeOrder(shop, order)));
    await placeOrder(shop, orders[0]!);
    await until("it is dead", () => asked >= 10);
    await using _second = takePayments(shop, async ({ id, cents }) => void charged.set(id, cents), "1s");
    await until("all are shipped", () => new Set(shipped.map(({ id }) => id)).size === orders.length);
    expect(charged.size).toBe(orders.length);
    expect(shipped).toHaveLength(orders.length);
    for (const customer of new Set(orders.map((order) => order.customer))) {
      const ofCustomer = (list: readonly Order[]) => list.filter((order) => order.customer === customer);
      expect(ofCustomer(shipped)).toEqual(ofCustomer(orders));
    }
  });
});
