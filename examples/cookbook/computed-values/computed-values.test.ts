// - each process, or each caller, computes ............... "computes a report once"
// - a report lacks an order that was added before ........ "with an order that was added"
// - other regions are computed again ..................... the same
// - those who look wait for a report that is due .......... "ahead of its end"
// - a database that is away fails those who look ......... "serves the last report"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { type Order, type Sales, sales } from "./computed-values.ts";

const MONTH = "2026-11";

describe.each(backends("standalone", "embedded"))("cookbook: computed values [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  let orders: Order[];
  let loads: number;
  let isAway: boolean;
  let here: Sales;
  let there: Sales;
  const load = async (month: string): Promise<Order[]> => {
    loads += 1;
    if (isAway) throw new Error("the database is away");
    return orders.filter((order) => order.month === month);
  };

  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    for (let at = 0; at < 2; at += 1) handles.push(await connect(url, { ...options, prefix }));
    here = sales(handles[0]!, load);
    there = sales(handles[1]!, load);
  });
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));
  beforeEach(async () => {
    orders = [
      { region: "north", month: MONTH, cents: 100 },
      { region: "south", month: MONTH, cents: 50 },
    ];
    isAway = false;
    await here.report.cache.clear();
    loads = 0;
  });

  it("computes a report once for all callers of all processes", async () => {
    const reports = await Promise.all([here, there, here, there].map(({ report }) => report("north", MONTH)));
    expect(reports[0]).toMatchObject({ orders: 1, cents: 100 });
    expect(reports[0]!.computed).toBeInstanceOf(Date);
    expect(new Set(reports.map(({ computed }) => computed.getTime())).size).toBe(1);
    expect(loads).toBe(1);
    expect(await here.report("south", MONTH)).toMatchObject({ orders: 1, cents: 50 });
    expect(loads).toBe(2);
  });

  it("a report has an order that was added before somebody asked, and other regions stay as they are", async () => {
    await Promise.all([here.report("north", MONTH), here.report("south", MONTH)]);
    const order = { region: "north", month: MONTH, cents: 11 };
    orders.push(order);
    await there.added(order);
    expect(await here.report("north", MONTH)).toMatchObject({ orders: 2, cents: 111 });
    expect(await here.report("south", MONTH)).toMatchObject({ orders: 1, cents: 50 });
    expect(loads).toBe(3);
  });

  it("computes a report again ahead of its end, while those who look get the last one", async () => {
    let letGo!: () => void;
    const released = new Promise<void>((resolve) => (letGo = resolve));
    const slowly = async (month: string): Promise<Order[]> => {
      const found = await load(month);
      if (loads > 1) await released;
      return found;
    };
    const { report } = sales(handles[0]!, slowly, "3s");
    const last = await report("north", MONTH);
    orders.push({ region: "north", month: MONTH, cents: 11 });
    const looked = async (): Promise<number> => {
      expect(await report("north", MONTH)).toEqual(last);
      return loads;
    };
    await expect.poll(looked, { timeout: 60_000 }).toBe(2);
    expect(await report("north", MONTH)).toEqual(last);
    letGo();
    await expect.poll(() => report("north", MONTH), { timeout: 60_000 }).toMatchObject({ orders: 2, cents: 111 });
  });

  it("serves the last report while the database is away", async () => {
    const last = await here.report("north", MONTH);
    await here.report.cache.expire(here.report.key("north", MONTH));
    isAway = true;
    expect(await there.report("north", MONTH)).toEqual(last);
  });
});
