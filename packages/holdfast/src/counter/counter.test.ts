/**
 * What could go wrong, and the test that watches it:
 * - two increments at once, one of them lost ....................... "racing handles lose nothing"
 * - a bound is passed by racing increments ......................... "racing handles stay within the bounds"
 * - a counter without a time to live ............................... "... expires ..."
 * - an increment lengthens a window that should end ................ "with a ttl it expires after its first increment"
 * - an idempotency key counts twice, or for another id ............. "an idempotency key ..."
 * - numbers that a double cannot hold .............................. "... beyond 2^53"
 * - merging mixes up answers, order, or fails all for one .......... "calls made in the same tick ..."
 * (faults.test.ts: lost answers; model.test.ts: histories against a model)
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { CounterOptions } from "./options.ts";

/** In minutes. */
const HOUR = 60;
const DAY = 24 * HOUR;

describe.each(backends())("counter [$name]", ({ url, options }) => {
  const prefix = `test-${randomUUID()}`;
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(async () => {
    [hf, other] = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });

  afterAll(async () => {
    await Promise.all([hf?.close(), other?.close()]);
  });

  const keyOf = (name: string, id: string): string => `${prefix}:counter:${name}:{${id}}`;

  function send(...args: string[]): Promise<unknown> {
    return hf.driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  }

  /** Of a key's time to live, rounded up, so that it is a whole number of hours until the test has run for a minute. */
  async function minutesLeft(key: string): Promise<number> {
    return Math.ceil(Number(await send("PTTL", key)) / 60_000);
  }

  it("counts up and down, by one or by more, from 0", async () => {
    const hits = hf.counter(randomUUID());
    expect(await hits.get("home")).toBe(0);
    expect(await hits.increment("home")).toEqual({ status: "ok", value: 1 });
    expect(await hits.increment("home", 9)).toEqual({ status: "ok", value: 10 });
    expect(await hits.decrement("home", 12)).toEqual({ status: "ok", value: -2 });
    expect(await hits.increment("home", 0)).toEqual({ status: "ok", value: -2 });
    expect(await hits.decrement("home")).toEqual({ status: "ok", value: -3 });
    expect(await hits.get("home")).toBe(-3);
    expect(await hits.get("about")).toBe(0);
  });

  it("reads many, over many slots", async () => {
    const hits = hf.counter(randomUUID());
    const ids = Array.from({ length: 40 }, (_, at) => `page {${at}} %:*`);
    await Promise.all(ids.map((id, at) => hits.increment(id, at + 1)));
    expect([...(await hits.getMany([...ids, "none", ids[0]!]))]).toEqual([
      ...ids.map((id, at) => [id, at + 1]),
      ["none", 0],
    ]);
    expect(await hits.getMany([])).toEqual(new Map());
  });

  it("reset begins at 0 again, for one id", async () => {
    const hits = hf.counter(randomUUID());
    await Promise.all([hits.increment("a", 5), hits.increment("b", 5)]);
    expect(await hits.reset("a")).toBe(true);
    expect(await hits.reset("a")).toBe(false);
    expect([...(await hits.getMany(["a", "b"])).values()]).toEqual([0, 5]);
  });

  it("racing handles lose nothing", async () => {
    const name = randomUUID();
    const [one, two] = [hf.counter(name), other.counter(name)];
    const outcomes = await Promise.all(
      Array.from({ length: 400 }, (_, at) => (at % 2 === 0 ? one : two).increment("x")),
    );
    expect(new Set(outcomes.map(({ value }) => value)).size).toBe(400);
    expect(await one.get("x")).toBe(400);
  });

  it("racing handles stay within the bounds", async () => {
    const name = randomUUID();
    const seats = [hf.counter(name, { min: 0, max: 50 }), other.counter(name, { min: 0, max: 50 })];
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, at) => seats[at % 2]!.increment("x", 3)));
    const done = outcomes.filter(({ status }) => status === "ok");
    expect(done).toHaveLength(16);
    expect(await seats[0]!.get("x")).toBe(48);
    expect(await seats[0]!.increment("x", 3)).toEqual({ status: "limit", value: 48 });
    expect(await seats[0]!.increment("x", 2)).toEqual({ status: "ok", value: 50 });
    expect(await seats[1]!.decrement("x", 51)).toEqual({ status: "limit", value: 50 });
    expect(await seats[1]!.decrement("x", 50)).toEqual({ status: "ok", value: 0 });
  });

  it("a refusal at a bound creates nothing", async () => {
    const name = randomUUID();
    expect(await hf.counter(name, { max: 2 }).increment("x", 3)).toEqual({ status: "limit", value: 0 });
    expect(await send("EXISTS", keyOf(name, "x"))).toBe(0);
  });

  it("without a ttl it expires 90 days after its last increment", async () => {
    const name = randomUUID();
    const hits = hf.counter(name);
    await hits.increment("x");
    expect(await minutesLeft(keyOf(name, "x"))).toBe(90 * DAY);
    await send("PEXPIRE", keyOf(name, "x"), "60000");
    await hits.increment("x");
    expect(await minutesLeft(keyOf(name, "x"))).toBe(90 * DAY);
    const brief = hf.counter(name, { idleTtl: "1h" });
    await brief.increment("x");
    expect(await minutesLeft(keyOf(name, "x"))).toBe(HOUR);
  });

  it("with a ttl it expires after its first increment, whatever comes later", async () => {
    const name = randomUUID();
    const hits = hf.counter(name, { ttl: "2h" });
    await hits.increment("x");
    expect(await minutesLeft(keyOf(name, "x"))).toBe(2 * HOUR);
    await send("PEXPIRE", keyOf(name, "x"), "3600000");
    await hits.increment("x");
    await hits.increment("x", 1, { ttl: "5h" });
    expect(await minutesLeft(keyOf(name, "x"))).toBe(HOUR);
    await hits.increment("y", 1, { ttl: "5h" });
    expect(await minutesLeft(keyOf(name, "y"))).toBe(5 * HOUR);
  });

  it("begins at 0 again when its time is over", async () => {
    const hits = hf.counter(randomUUID(), { ttl: 20 });
    // One script: the second increment is of the same moment as the first.
    expect(await Promise.all([hits.increment("x"), hits.increment("x")])).toMatchObject([{ value: 1 }, { value: 2 }]);
    await new Promise((resolve) => setTimeout(resolve, 25));
    expect(await hits.increment("x")).toEqual({ status: "ok", value: 1 });
  });

  it("an idempotency key counts once per id, also when its calls race", async () => {
    const name = randomUUID();
    const hits = [hf.counter(name, { idempotencyTtl: "1h" }), other.counter(name, { idempotencyTtl: "1h" })];
    const options = { idempotencyKey: "order {1} é" };
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => hits[at % 2]!.increment("x", 5, options)));
    expect(answers).toEqual(answers.map(() => ({ status: "ok", value: 5 })));
    await hits[0]!.increment("x");
    expect(await hits[1]!.increment("x", 5, options)).toEqual({ status: "ok", value: 5 });
    expect(await hits[0]!.get("x")).toBe(6);
    expect(await hits[0]!.increment("y", 5, options)).toEqual({ status: "ok", value: 5 });
    expect(await hits[0]!.increment("x", 5, { idempotencyKey: "order 2" })).toEqual({ status: "ok", value: 11 });
    expect(await minutesLeft(`${keyOf(name, "x")}:once:order {1} é`)).toBe(HOUR);
    expect(await minutesLeft(keyOf(name, "x"))).toBe(90 * DAY);
  });

  it("an idempotency key of a refused increment can be used again", async () => {
    const seats = hf.counter(randomUUID(), { max: 5 });
    await seats.increment("x", 5);
    const options = { idempotencyKey: "late" };
    expect(await seats.increment("x", 1, options)).toEqual({ status: "limit", value: 5 });
    await seats.decrement("x");
    expect(await seats.increment("x", 1, options)).toEqual({ status: "ok", value: 5 });
  });

  it("says so when a counter would go beyond 2^53, and leaves it", async () => {
    const hits = hf.counter(randomUUID());
    await hits.increment("x", Number.MAX_SAFE_INTEGER);
    await hits.decrement("y", Number.MAX_SAFE_INTEGER);
    await expect(hits.increment("x")).rejects.toMatchObject({ code: "UNSUPPORTED", key: "x" });
    await expect(hits.decrement("y")).rejects.toMatchObject({ code: "UNSUPPORTED", key: "y" });
    await expect(hits.increment("x", Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    expect(await hits.get("x")).toBe(Number.MAX_SAFE_INTEGER);
    expect(await hits.get("y")).toBe(Number.MIN_SAFE_INTEGER);
    expect(await hits.decrement("x")).toEqual({ status: "ok", value: Number.MAX_SAFE_INTEGER - 1 });
  });

  it.each(["9007199254740993", "1.5", "text"])("says so when a key holds %s", async (stored) => {
    const name = randomUUID();
    const hits = hf.counter(name);
    await send("SET", keyOf(name, "x"), stored, "PX", "60000");
    const [get, increment, fine] = await Promise.allSettled([hits.get("x"), hits.increment("x"), hits.increment("y")]);
    expect(get).toMatchObject({ status: "rejected", reason: { code: "WRONG_TYPE", key: "x" } });
    expect(increment).toMatchObject({ status: "rejected", reason: expect.any(HoldfastError) });
    expect(fine).toEqual({ status: "fulfilled", value: { status: "ok", value: 1 } });
  });

  it("calls made in the same tick keep their order and their own answers", async () => {
    const hits = hf.counter(randomUUID());
    const answers = await Promise.all([
      hits.get("x"),
      hits.increment("x", 2),
      hits.increment("y"),
      hits.get("x"),
      hits.increment("x", 3, { idempotencyKey: "k" }),
      hits.get("x"),
      hits.reset("x"),
      hits.get("x"),
      hits.increment("x"),
    ]);
    const values = answers.map((answer) => (typeof answer === "object" ? answer.value : answer));
    expect(values).toEqual([0, 2, 1, 2, 5, 5, true, 0, 1]);
  });

  it("refuses bad input", async () => {
    const bad: Partial<Record<keyof CounterOptions, unknown>>[] = [
      { ttl: 0 },
      { ttl: "1h", idleTtl: "1h" },
      { idleTtl: "soon" },
      { min: 1 },
      { max: -1 },
      { min: -0.5 },
      { max: 2 ** 53 },
      { idempotencyTtl: 0 },
      { timeout: 0 },
    ];
    for (const given of bad)
      expect(() => hf.counter(randomUUID(), given as CounterOptions)).toThrow(InvalidArgumentError);
    const hits = hf.counter(randomUUID());
    for (const by of [0.5, Number.NaN, Infinity, 2 ** 53]) {
      await expect(hits.increment("x", by)).rejects.toMatchObject({ field: "by" });
      await expect(hits.decrement("x", by)).rejects.toMatchObject({ field: "by" });
    }
    for (const idempotencyKey of ["", "k".repeat(257)])
      await expect(hits.increment("x", 1, { idempotencyKey })).rejects.toMatchObject({ field: "idempotencyKey" });
    await expect(hits.increment("x", 1, { ttl: 0 })).rejects.toMatchObject({ field: "ttl" });
    await expect(hits.get("")).rejects.toMatchObject({ field: "id" });
    await expect(hits.getMany("ab")).rejects.toMatchObject({ field: "ids" });
    await expect(hits.getMany(undefined as never)).rejects.toMatchObject({ field: "ids" });
  });

  it("refuses options that it does not know and takes undefined as not given", async () => {
    const make = (given: unknown): unknown => hf.counter("seats", given as CounterOptions);
    expect(() => make({ tll: "1h" })).toThrow('counter "seats": tll: expected another name (did you mean "ttl"?)');
    expect(() => make(5)).toThrow('counter "seats": options: expected an object');
    const hits = hf.counter(randomUUID(), { max: undefined, ttl: undefined } as never);
    await expect(hits.increment("x", 1, { idempotencyKye: "k" } as never)).rejects.toMatchObject({
      field: "idempotencyKye",
    });
    await expect(hits.increment("x", 1, 60 as never)).rejects.toMatchObject({ field: "options" });
    await expect(hits.increment("x", { ttl: 5 } as never)).rejects.toMatchObject({ field: "by" });
    expect(await hits.increment("x", undefined, { ttl: undefined } as never)).toEqual({ status: "ok", value: 1 });
  });
});
