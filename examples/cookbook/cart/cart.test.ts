// - two carts hold the last one ............................ "nothing is held twice"
// - a guest's cart is lost, or counted twice, at sign-in ... "merges at sign-in, once"
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

  it("merges at sign-in, once, with as many as there are", async () => {
    const [here, there] = await pair();
    await here.supply("book", 5);
    await here.supply("pen", 50);
    await here.put("guest", "book", 2);
    await here.put("guest", "pen", 15);
    await there.put("ada", "pen", 10);
    await there.put("eve", "book", 3);
    const signedIn = await Promise.all([here.signIn("guest", "ada"), there.signIn("guest", "ada")]);
    expect(signedIn.map(({ items }) => items)).toContainEqual({ book: 2, pen: 20 });
    expect((await there.signIn("guest", "ada", Math.max)).items).toEqual({ book: 2, pen: 20 });
    expect((await here.get("guest")).items).toEqual({});
    expect(await Promise.all([here.available("book"), here.available("pen")])).toEqual([0, 30]);
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
