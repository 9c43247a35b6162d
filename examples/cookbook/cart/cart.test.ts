// - two carts hold the last one ............................ "nothing is held twice"
// - a guest's cart is lost, or counted twice, at sign-in ... "merges at sign-in, once"
// - a line that a full cart refuses is held all the same ... "one that is full"
// - what is abandoned stays reserved ....................... "is free again by itself"
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { createTestServer } from "../../../packages/holdfast/src/testing/index.ts";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { Carts } from "./cart.ts";

describe.each(backends("standalone", "embedded"))("cookbook: cart [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  afterAll(() => Promise.all(handles.map((hf) => hf.close())));

  async function pair(): Promise<[Carts, Carts]> {
    const prefix = `cook-${randomUUID()}`;
    const open = (): Promise<Holdfast> => connect(url, { ...options, prefix, timeout: "30s" });
    const [a, b] = await Promise.all([open(), open()]);
    handles.push(a, b);
    return [new Carts(a), new Carts(b)];
  }

  it("nothing is held twice, and bounds are kept", async () => {
    const [here, there] = await pair();
    await here.supply("book", 5);
    const taken = await Promise.all(
      ["a", "b", "c", "d"].map((cart, at) => (at % 2 ? here : there).put(cart, "book", 2)),
    );
    expect(taken.filter(Boolean)).toHaveLength(2);
    expect(await here.available("book")).toBe(1);
    expect(await here.put("a", "book", 21)).toBe(false);
    const holder = ["a", "b", "c", "d"].find((_, at) => taken[at])!;
    expect(await there.put(holder, "book", 3)).toBe(true);
    expect(await here.available("book")).toBe(0);
    expect(await here.sell(holder, "book")).toBe(true);
    expect((await here.get(holder)).items).toEqual({});
    expect(await here.put(holder, "book", 1)).toBe(false);
  });
});

it("cookbook: cart: what is abandoned is free again by itself", async () => {
  await using server = await createTestServer({ clock: "virtual" });
  await using hf = await server.connect();
  const carts = new Carts(hf);
  await carts.supply("book", 1);
  expect(await carts.put("a", "book", 1)).toBe(true);
  expect(await carts.put("b", "book", 1)).toBe(false);
  await server.clock.advance("16m");
  expect(await carts.available("book")).toBe(1);
  expect(await carts.put("b", "book", 1)).toBe(true);
  expect(await carts.sell("a", "book")).toBe(false);
});

it("cookbook: cart: one that is full holds nothing more", async () => {
  await using server = await createTestServer();
  await using hf = await server.connect();
  const carts = new Carts(hf);
  const lines = Array.from({ length: 100 }, (_, at) => [`p${at}`, 1] as const);
  await hf.records("carts").set("a", { items: Object.fromEntries(lines), merged: [] });
  await carts.supply("book", 1);
  expect(await carts.put("a", "book", 1)).toBe(false);
  expect(await carts.available("book")).toBe(1);
  expect(await carts.put("a", "p99", 0)).toBe(true);
  expect(await carts.put("a", "book", 1)).toBe(true);
});
