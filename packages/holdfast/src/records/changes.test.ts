// What could go wrong, and the test for each:
// - a patch loses what another wrote to other fields ............ "parallel patches of different fields all survive"
// - what does not exist yet is created twice, or over another's . "parallel updates with an initial value ..."
// - an update loses another's write ............................. "racing updates and increments lose nothing"
// - a number is guessed from what is none ....................... "increment refuses what it would have to guess"
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { RecordsOptions } from "./options.ts";
import type { Records } from "./records.ts";

const random = (): string => `t${randomBytes(6).toString("hex")}`;

interface Airport {
  name: string;
  visits?: number;
  runways?: string[];
  elevation?: number;
}

type Loose = Record<string, unknown>;

const bad = (field: string): unknown => expect.objectContaining({ name: "InvalidArgumentError", field });

describe.each(backends())("changes of records [$name]", ({ url, options }) => {
  const prefix = random();
  let a: Holdfast;
  let b: Holdfast;

  beforeAll(async () => {
    [a, b] = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });
  afterAll(() => Promise.all([a?.close(), b?.close()]));

  /** The same records as two processes see them. */
  function pair<T extends object = Airport>(settings: RecordsOptions<T> = {}): [Records<T>, Records<T>] {
    const name = random();
    return [a.records<T>(name, settings), b.records<T>(name, settings)];
  }

  it("increment: whole numbers, fractions, a field that is not there", async () => {
    const [here, there] = pair();
    const { version } = await here.set("x", { name: "a", visits: 5 });
    expect(await there.increment("x", "visits")).toEqual({ status: "ok", value: 6, version: version + 1 });
    expect(await here.increment("x", "visits", -8)).toEqual({ status: "ok", value: -2, version: version + 2 });
    expect(await here.increment("x", "elevation", 0.1)).toEqual({ status: "ok", value: 0.1, version: version + 3 });
    expect(await here.increment("x", "elevation", 0.2)).toMatchObject({ value: 0.1 + 0.2 });
    expect((await there.get("x"))?.value).toEqual({ name: "a", visits: -2, elevation: 0.1 + 0.2 });
  });

  it("increment refuses what it would have to guess, and changes nothing", async () => {
    const [here] = pair<{ name: string; visits: number; share: number }>();
    const { version } = await here.set("x", { name: "7", visits: Number.MAX_SAFE_INTEGER, share: 1e308 });
    await expect(here.increment("x", "visits")).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(here.increment("x", "share", 1e308)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(here.increment("x", "name" as "visits")).rejects.toMatchObject({ code: "WRONG_TYPE", key: "x" });
    await expect(here.increment("x", "visits", Number.NaN)).rejects.toEqual(bad("by"));
    // Merged with a good one, which must not pay for it.
    const good = here.increment("x", "share", 0);
    await expect(here.increment("x", undefined as unknown as "visits")).rejects.toEqual(bad("field"));
    expect(await good).toMatchObject({ status: "ok", version: version + 1 });
    await expect(here.update("x", undefined as never)).rejects.toEqual(bad("change"));
    expect(await here.get("x")).toEqual({
      value: { name: "7", visits: Number.MAX_SAFE_INTEGER, share: 1e308 },
      version: version + 1,
    });
    expect(await here.increment("x", "share", 1)).toMatchObject({ status: "ok", value: 1e308 });
  });

  it("parallel patches of different fields all survive", async () => {
    const [here, there] = pair<Loose>();
    await here.set("x", {});
    const names = Array.from({ length: 60 }, (_, at) => `f${at}`);
    await Promise.all(names.map((name, at) => (at % 2 === 0 ? here : there).patch("x", { [name]: at })));
    expect(Object.keys((await here.get("x"))!.value)).toHaveLength(60);
  });

  it("racing updates and increments lose nothing", async () => {
    const [here, there] = pair<{ n: number; log: number[] }>({ attempts: 200 });
    const { version } = await here.set("x", { n: 0, log: [] });
    const writers = Array.from({ length: 20 }, async (_, at) => {
      const records = at % 2 === 0 ? here : there;
      if (at % 4 === 0) return records.increment("x", "n");
      return records.update("x", ({ n, log }) => ({ n: n + 1, log: [...log, at] }));
    });
    expect((await Promise.all(writers)).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => "ok"));
    const found = await here.get("x");
    expect(found).toMatchObject({ value: { n: 20 }, version: version + 20 });
    expect(new Set(found!.value.log).size).toBe(15);
  });

  it("parallel updates with an initial value lose nothing, whoever creates the record", async () => {
    const [here, there] = pair<{ items: number[] }>();
    const add = (at: number) => (cart: { items: number[] }) => ({ items: [...cart.items, at] });
    const writers = Array.from({ length: 20 }, (_, at) =>
      (at % 2 === 0 ? here : there).update("cart", add(at), { initial: { items: [] } }),
    );
    expect((await Promise.all(writers)).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => "ok"));
    const cart = (await here.get("cart"))!.value;
    expect(cart.items.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at));
  });

  it("update with an initial value: each round begins with a copy of it, as it would be read", async () => {
    const [here, there] = pair<{ items: number[] }>();
    const initial = { items: [] as number[], note: undefined };
    let rounds = 0;
    const answer = await here.update(
      "cart",
      async (cart) => {
        rounds += 1;
        expect(cart).toEqual(rounds === 1 ? { items: [] } : { items: [7] });
        if (rounds === 1) await there.set("cart", { items: [7] });
        cart.items.push(rounds);
        return cart;
      },
      { initial },
    );
    expect(answer).toMatchObject({ status: "ok", value: { items: [7, 2] } });
    expect(initial.items).toEqual([]);
  });

  it("update: gives up after its attempts, passes on the error of the change, writes what it returns", async () => {
    const [here, there] = pair({ attempts: 2 });
    const { version } = await here.set("x", { name: "a", visits: 1 });
    const disturbed = await here.update("x", async (value) => {
      await there.patch("x", { visits: 9 });
      return { ...value, name: "never" };
    });
    expect(disturbed).toEqual({ status: "conflict", version: version + 2 });
    const failing = here.update("x", () => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    const written = await here.update("x", ({ name }) => ({ name: `${name}!` }));
    expect(written).toEqual({ status: "ok", value: { name: "a!" }, version: version + 3 });
    expect((await there.get("x"))?.value).toEqual({ name: "a!" });
  });
});
