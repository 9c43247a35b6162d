// What could go wrong, and the test for each (the type checker's, which runs over tests too; nothing here is executed):
// - a user must say a type that could be inferred ....... "infers ..."
// - a wrong option or argument compiles ................. "does not compile: ..."
import { expect, expectTypeOf, it } from "vitest";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Holdfast } from "../src/index.ts";

interface Cart {
  readonly items: string[];
}

const cart = {} as StandardSchemaV1<unknown, Cart>;

it("infers the value of getOrSet from its loader", () => {
  expect((hf: Holdfast) => {
    const untyped = hf.cache("users", { ttl: "1m" });
    expectTypeOf(untyped.getOrSet("1", async () => ({ id: 1 }))).resolves.toEqualTypeOf<{ id: number }>();
    expectTypeOf(untyped.getOrSet("1", () => 5)).resolves.toEqualTypeOf<number>();
    const typed = hf.cache<Cart>("carts", { ttl: "1m" });
    expectTypeOf(typed.getOrSet("1", () => ({ items: [] }))).resolves.toEqualTypeOf<Cart>();
    // @ts-expect-error the loader of a typed cache returns its type
    return typed.getOrSet("1", () => ({ id: 1 }));
  }).toBeTypeOf("function");
});

it("infers from schemas, and takes a device without being told its type", () => {
  expect((hf: Holdfast) => {
    expectTypeOf(hf.sessions("shop", { schema: cart }).get("id"))
      .resolves.exclude<undefined>()
      .toHaveProperty("data")
      .toEqualTypeOf<Cart>();
    expectTypeOf(hf.records("carts", { schema: cart }).get("1"))
      .resolves.exclude<undefined>()
      .toHaveProperty("value")
      .toEqualTypeOf<Cart>();
    hf.queue("carts", { payload: cart }).work((job) => job.payload.items.length);
    return hf.sessions<Cart>().create({ data: { items: [] }, user: "ada", device: { name: "phone" } });
  }).toBeTypeOf("function");
});

it("infers what a transaction reads", () => {
  expect((hf: Holdfast) =>
    hf.transaction(["{a}"], async (tx) => {
      expectTypeOf(tx.get("{a}")).resolves.toEqualTypeOf<string | undefined>();
      expectTypeOf(tx.getNumber("{a}")).resolves.toEqualTypeOf<number | undefined>();
      expectTypeOf(tx.mget(["{a}"])).resolves.toEqualTypeOf<(string | undefined)[]>();
      expectTypeOf(tx.hgetAll("{a}")).resolves.toEqualTypeOf<Map<string, string>>();
    }),
  ).toBeTypeOf("function");
});

it("does not compile: options and arguments that are not understood", () => {
  expect((hf: Holdfast) => {
    // @ts-expect-error
    hf.cache("users", { tll: "1m" });
    // @ts-expect-error
    hf.lock("invoice", 500);
    // @ts-expect-error
    hf.queue();
    // @ts-expect-error
    hf.queue("mails", { attemps: 1 });
    // @ts-expect-error
    hf.queue("mails").work(() => 1, 5);
    // @ts-expect-error
    void hf.queue("mails").add(1, 60);
    // @ts-expect-error
    void hf.queue("mails").addMany([1], { id: "one" });
    // @ts-expect-error
    void hf.limiter("api", { limit: 1, window: "1s" }).consume("ada", 5);
    // @ts-expect-error
    void hf.command("SET", "key", {});
    return hf.transaction(["{a}"], (tx) => {
      // @ts-expect-error
      tx.queue("SET", "{a}", undefined);
      // @ts-expect-error
      tx.queue("SET", "{a}", true);
    });
  }).toBeTypeOf("function");
});
