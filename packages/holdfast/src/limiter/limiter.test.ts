/**
 * What could go wrong, and the test that watches it:
 * - processes that race let through more than the limit ............ "racing handles ..."
 * - a denial takes units, or lengthens the wait .................... "a denial takes nothing"
 * - a call of high cost slips past a nearly empty bucket ........... "takes units by cost, all or none"
 * - a key is left without a time to live ........................... "every key expires"
 * - peek takes something, or says other than consume ............... "peek ..."
 * - a reset by pattern, or one that forgets another id ............. "reset ..."
 * - merging mixes up answers, order, or fails all for one .......... "calls made in the same tick ..."
 * - two ways of counting read each other's state ................... "limiters of one name ..."
 * - a cost that can never be allowed waits for ever ................ "refuses bad input"
 * (faults.test.ts: outages and lost answers; exactness.test.ts: decisions against a reference)
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { LimiterOptions } from "./options.ts";

const ALGORITHMS = ["gcra", "sliding", "exact"] as const;

describe.each(backends())("limiter [$name]", ({ url, options }) => {
  const prefix = `test-${randomUUID()}`;
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(async () => {
    [hf, other] = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });

  afterAll(async () => {
    await Promise.all([hf?.close(), other?.close()]);
  });

  function send(...args: string[]): Promise<unknown> {
    return hf.driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  }

  async function keysOf(name: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const page of hf.scan(`limit:${name}:`)) keys.push(...page);
    return keys;
  }

  describe.each(ALGORITHMS)("%s", (algorithm) => {
    // Longer than the suite runs, and started again where it matters, so that nothing comes back by the clock.
    // The timeout is for a busy machine: no test here is about an outage.
    const slow = (limit: number): LimiterOptions => ({ algorithm, limit, window: "30d", timeout: "30s" });

    it("lets through the limit and says what is left and when it comes back", async () => {
      const limiter = hf.limiter(randomUUID(), slow(3));
      const decisions = [];
      for (let call = 0; call < 4; call += 1) decisions.push(await limiter.consume("ada"));
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, false]);
      expect(decisions.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0]);
      const [first, , , denied] = decisions;
      expect(first).toMatchObject({ limit: 3, retryAfterMs: 0, source: "server" });
      expect(denied!.retryAfterMs).toBeGreaterThan(0);
      expect(denied!.resetMs).toBeGreaterThanOrEqual(denied!.retryAfterMs);
      expect(await limiter.consume("bob")).toMatchObject({ allowed: true, remaining: 2 });
    });

    it("a denial takes nothing: the state stays byte for byte, and so does its time to live", async () => {
      const name = randomUUID();
      const limiter = hf.limiter(name, slow(2));
      await limiter.consume("ada", { cost: 2 });
      const [key] = await keysOf(name);
      const stored = (): Promise<unknown> =>
        algorithm === "exact" ? send("ZRANGE", key!, "0", "-1", "WITHSCORES") : send("GET", key!);
      const before = await Promise.all([stored(), send("PEXPIRETIME", key!)]);
      for (let call = 0; call < 5; call += 1) expect((await limiter.consume("ada")).allowed).toBe(false);
      expect(await Promise.all([stored(), send("PEXPIRETIME", key!)])).toEqual(before);
    });

    it("a denial of an id that was never seen cannot be, and one of an id that was leaves no other key", async () => {
      const name = randomUUID();
      const limiter = hf.limiter(name, slow(1));
      expect(await limiter.peek("ada")).toMatchObject({ allowed: true, remaining: 1, resetMs: 0 });
      expect(await keysOf(name)).toEqual([]);
      await limiter.consume("ada");
      await limiter.consume("ada");
      expect(await keysOf(name)).toHaveLength(1);
    });

    it("takes units by cost, all or none", async () => {
      const limiter = hf.limiter(randomUUID(), slow(10));
      expect(await limiter.consume("ada", { cost: 7 })).toMatchObject({ allowed: true, remaining: 3 });
      expect(await limiter.consume("ada", { cost: 4 })).toMatchObject({ allowed: false, remaining: 3 });
      expect(await limiter.consume("ada", { cost: 3 })).toMatchObject({ allowed: true, remaining: 0 });
    });

    it("every key expires, and not before it may be forgotten", async () => {
      const name = randomUUID();
      const limiter = hf.limiter(name, { algorithm, limit: 100, window: "1h" });
      const decisions = await Promise.all(Array.from({ length: 20 }, (_, id) => limiter.consume(id, { cost: 1 + id })));
      const keys = await keysOf(name);
      expect(keys).toHaveLength(20);
      for (const key of keys) {
        const ttlMs = Number(await send("PTTL", key));
        expect(ttlMs).toBeGreaterThan(0);
        // A bucket's key expires with the whole second after it is full again.
        expect(ttlMs).toBeLessThanOrEqual(Math.max(...decisions.map(({ resetMs }) => resetMs)) + 1_000);
      }
    });

    it("peek takes nothing and says what consume would say", async () => {
      const limiter = hf.limiter(randomUUID(), slow(5));
      await limiter.consume("ada", { cost: 3 });
      for (let call = 0; call < 3; call += 1)
        expect(await limiter.peek("ada", { cost: 2 })).toMatchObject({ allowed: true, remaining: 2, retryAfterMs: 0 });
      const foreseen = await limiter.peek("ada", { cost: 3 });
      const denied = await limiter.consume("ada", { cost: 3 });
      expect(foreseen.allowed).toBe(false);
      expect(denied.allowed).toBe(false);
      expect(denied.retryAfterMs).toBeLessThanOrEqual(foreseen.retryAfterMs);
      expect(denied.retryAfterMs).toBeGreaterThan(foreseen.retryAfterMs - 10_000);
    });

    it("reset forgets one id and no other", async () => {
      const limiter = hf.limiter(randomUUID(), slow(1));
      await Promise.all([limiter.consume("a"), limiter.consume("a*")]);
      expect(await limiter.reset("a*")).toBe(true);
      expect(await limiter.reset("a*")).toBe(false);
      expect((await limiter.consume("a")).allowed).toBe(false);
      expect((await limiter.consume("a*")).allowed).toBe(true);
    });

    it("racing handles let through exactly the limit, over many slots", async () => {
      const name = randomUUID();
      const [one, two] = [hf.limiter(name, slow(25)), other.limiter(name, slow(25))];
      const ids = Array.from({ length: 8 }, (_, at) => `user-${at}`);
      const allowed = new Map(ids.map((id) => [id, 0]));
      const race = ids.flatMap((id) =>
        Array.from({ length: 60 }, (_, at) => ({ id, limiter: at % 2 === 0 ? one : two })),
      );
      const decisions = await Promise.all(race.map(({ id, limiter }) => limiter.consume(id)));
      for (const [at, decision] of decisions.entries())
        if (decision.allowed) allowed.set(race[at]!.id, allowed.get(race[at]!.id)! + 1);
      expect([...allowed.values()]).toEqual(ids.map(() => 25));
    });

    it("racing handles never overdraw by cost", async () => {
      const name = randomUUID();
      const limiters = [hf.limiter(name, slow(50)), other.limiter(name, slow(50))];
      const costs = Array.from({ length: 80 }, (_, at) => 1 + (at % 7));
      const decisions = await Promise.all(costs.map((cost, at) => limiters[at % 2]!.consume("ada", { cost })));
      const taken = decisions.reduce((sum, { allowed }, at) => sum + (allowed ? costs[at]! : 0), 0);
      expect(taken).toBe(50);
    });

    it("calls made in the same tick keep their order and their own answers", async () => {
      const limiter = hf.limiter(randomUUID(), slow(2));
      const answers = await Promise.all([
        limiter.peek("ada"),
        limiter.consume("ada", { cost: 2 }),
        limiter.consume("bob"),
        limiter.consume("ada"),
        limiter.reset("ada"),
        limiter.peek("ada"),
        limiter.consume("ada"),
      ]);
      expect(answers[4]).toBe(true);
      const seen = answers.filter((answer) => typeof answer === "object");
      expect(seen.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
        [true, 2],
        [true, 0],
        [true, 1],
        [false, 0],
        [true, 2],
        [true, 1],
      ]);
    });

    it("calls made in the same tick do not fail because of one whose key is another program's", async () => {
      const name = randomUUID();
      const limiter = hf.limiter(name, slow(2));
      await limiter.consume("ada");
      const [key] = await keysOf(name);
      await send("DEL", key!);
      await send("HSET", key!, "not", "ours");
      const [bad, good] = await Promise.allSettled([limiter.consume("ada"), limiter.consume("bob")]);
      expect(bad).toMatchObject({ status: "rejected", reason: { code: "WRONG_TYPE", key: "ada" } });
      expect(good).toMatchObject({ status: "fulfilled", value: { allowed: true, source: "server" } });
      await send("DEL", key!);
    });

    it("limiters of one name and other counting keep states of their own", async () => {
      const name = randomUUID();
      await hf.limiter(name, slow(1)).consume("ada");
      const windows = [
        hf.limiter(name, { algorithm: algorithm === "sliding" ? "exact" : "sliding", limit: 1, window: "29d" }),
        hf.limiter(name, { algorithm: algorithm === "gcra" ? "sliding" : "gcra", limit: 1, window: "30d" }),
      ];
      for (const limiter of windows) expect((await limiter.consume("ada")).allowed).toBe(true);
    });

    it("refuses bad input", async () => {
      const make = (given: Partial<LimiterOptions>): unknown => hf.limiter(randomUUID(), { ...slow(5), ...given });
      const bad: Partial<Record<keyof LimiterOptions, unknown>>[] = [
        { limit: 0 },
        { limit: 1.5 },
        { limit: Number.NaN },
        { limit: 2e12 },
        { window: 0 },
        { window: "soon" },
        { algorithm: "leaky" },
        { onOutage: "panic" },
        { timeout: -1 },
        { burst: 0 },
      ];
      for (const given of bad) expect(() => make(given as Partial<LimiterOptions>)).toThrow(InvalidArgumentError);
      const limiter = hf.limiter(randomUUID(), slow(5));
      for (const cost of [0, -1, 1.5, 6, Number.NaN]) {
        await expect(limiter.consume("ada", { cost })).rejects.toThrow(InvalidArgumentError);
        await expect(limiter.peek("ada", { cost })).rejects.toThrow(InvalidArgumentError);
      }
      await expect(limiter.consume("")).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field: "id" });
    });

    it("refuses options that it does not know and takes undefined as not given", async () => {
      const make = (given: unknown): unknown => hf.limiter("api", given as LimiterOptions);
      expect(() => make({ ...slow(5), limt: 7 })).toThrow('limiter "api": limt: expected another name');
      expect(() => make(undefined)).toThrow('limiter "api": limit: expected a whole number');
      expect(() => make(100)).toThrow('limiter "api": options: expected an object');
      const limiter = hf.limiter(randomUUID(), { ...slow(5), burst: undefined, onOutage: undefined } as never);
      for (const call of [limiter.consume.bind(limiter), limiter.peek.bind(limiter)]) {
        await expect(call("ada", 5 as never)).rejects.toMatchObject({ field: "options" });
        await expect(call("ada", null as never)).rejects.toMatchObject({ field: "options" });
        await expect(call("ada", { costs: 2 } as never)).rejects.toMatchObject({ field: "costs" });
        expect(await call("ada", { cost: undefined } as never)).toMatchObject({ allowed: true });
      }
    });
  });

  it("gcra: a burst above or below the limit is what can be taken at once", async () => {
    const wide = hf.limiter(randomUUID(), { limit: 2, window: "30d", burst: 5 });
    expect(await wide.consume("ada", { cost: 5 })).toMatchObject({ allowed: true, remaining: 0, limit: 2 });
    const narrow = hf.limiter(randomUUID(), { limit: 10, window: "30d", burst: 2 });
    expect(await narrow.consume("ada", { cost: 2 })).toMatchObject({ allowed: true, remaining: 0, limit: 10 });
    await expect(narrow.consume("ada", { cost: 3 })).rejects.toMatchObject({ field: "cost" });
  });

  it("gcra: what was taken comes back evenly, and is there when retryAfterMs has passed", async () => {
    const limiter = hf.limiter(randomUUID(), { limit: 10, window: "1s" });
    // One script, so one moment.
    const [, denied] = await Promise.all([limiter.consume("ada", { cost: 10 }), limiter.consume("ada", { cost: 3 })]);
    expect(denied).toMatchObject({ allowed: false, remaining: 0, retryAfterMs: 300, resetMs: 1_000 });
    await new Promise((resolve) => setTimeout(resolve, denied.retryAfterMs + 1));
    expect((await limiter.consume("ada", { cost: 3 })).allowed).toBe(true);
  });

  it("gcra: refuses a rate that whole microseconds cannot express, and takes those that they can", () => {
    const name = randomUUID();
    const make = (limit: number): unknown => hf.limiter(name, { limit, window: "1s" });
    expect(() => make(300_000)).toThrow(InvalidArgumentError);
    expect(() => make(3_000_000)).toThrow(InvalidArgumentError);
    for (const limit of [1, 7, 9_999, 250_000, 1_000_000]) expect(() => make(limit)).not.toThrow();
    expect(() => hf.limiter(randomUUID(), { limit: 1, window: "1d", burst: 1e6 })).toThrow(InvalidArgumentError);
  });

  it("exact: takes no burst but its limit, and no limit whose log would be large", () => {
    const name = randomUUID();
    const make = (given: Partial<LimiterOptions>): unknown =>
      hf.limiter(name, { algorithm: "exact", limit: 5, window: "1m", ...given });
    expect(() => make({ burst: 6 })).toThrow(InvalidArgumentError);
    expect(() => make({ limit: 10_001 })).toThrow(/"sliding"/);
    expect(() => make({ limit: 10_000 })).not.toThrow();
  });

  it("sliding: takes no burst but its limit, and no numbers that would round", () => {
    const name = randomUUID();
    const make = (given: Partial<LimiterOptions>): unknown =>
      hf.limiter(name, { algorithm: "sliding", limit: 5, window: "1m", ...given });
    expect(() => make({ burst: 6 })).toThrow(InvalidArgumentError);
    expect(() => make({ burst: 5 })).not.toThrow();
    expect(() => make({ limit: 1e12, window: "1d" })).toThrow(InvalidArgumentError);
  });
});
