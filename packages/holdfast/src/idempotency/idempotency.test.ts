/**
 * What could go wrong, and the test for each:
 * - the function runs twice ........................... "runs once", "concurrent callers wait"
 * - a waiter sleeps although the run has ended ......... the same, whose lease is longer than the test
 * - a caller cannot see that another runs it ........... "tells that it is busy"
 * - another request gets the outcome of the first ...... "refuses another fingerprint"
 * - a failure blocks the key, or counts as an outcome .. "after a failure the next caller runs it"
 * - a refusal is tried again, or comes back as less .... "a final error is stored"
 * - what is stored can be read by others ............... "stores nothing in clear"
 * - code waits for itself .............................. "refuses a run inside itself"
 * - a repeat costs more than a script .................. "repeats of one tick share a script"
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { backends } from "../../test/support/backends.ts";
import { gate, OnceFixture } from "../../test/support/once-fixture.ts";
import { CodecError, HoldfastError, InvalidArgumentError, TimeoutError } from "../base/errors.ts";
import { runScript } from "../core/script/run.ts";
import type { Holdfast } from "../holdfast.ts";
import { FinalError } from "./final-error.ts";
import type { IdempotencyRun } from "./runs.ts";
import { begin } from "./scripts.gen.ts";

describe.each(backends())("idempotency [$name]", (backend) => {
  const fixture = new OnceFixture(backend);
  const { two } = fixture;
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(() => {
    ({ a, b } = two);
  });

  /** A run of a process that is gone. */
  const dead = (key: string, leaseMs: number): Promise<unknown> => {
    const args = { token: "gone", print: "-", leaseMs, ttlMs: 60_000, waits: false };
    return runScript(a.driver, begin, { entry: fixture.keyOf(key) }, args, { op: "test" });
  };

  it("runs once, and returns what is stored to whoever repeats the call", async () => {
    const fn = vi.fn<(run: IdempotencyRun) => unknown>(() => ({ id: 7 }));
    expect(await fixture.of(a).run("k", fn)).toEqual({ value: { id: 7 }, replayed: false });
    expect(await fixture.of(b).run("k", fn)).toEqual({ value: { id: 7 }, replayed: true });
    expect(await fixture.of(b).tryRun("k", fn)).toEqual({ status: "ok", value: { id: 7 }, replayed: true });
    expect(fn).toHaveBeenCalledOnce();
    expect(fn.mock.calls[0]![0]).toMatchObject({ key: "k", attempt: 1 });
    expect(await fixture.of(b).run("other", () => undefined)).toEqual({ value: undefined, replayed: false });
    expect(await fixture.of(b).run("other", fn)).toEqual({ value: undefined, replayed: true });
  });

  it("concurrent callers wait for the run that is under way, and are woken at its end", async () => {
    const { open, opened } = gate();
    let count = 0;
    const fn = async (): Promise<number> => {
      await opened;
      return (count += 1);
    };
    // Longer than the test may take: nobody finds the outcome by a timer.
    const options = { lease: "10m" } as const;
    const first = fixture.of(a, options).run("k", fn);
    const others = Array.from({ length: 20 }, (_, at) => fixture.of(at % 2 === 0 ? a : b, options).run("k", fn));
    await fixture.isAwaited("k");
    open();
    const results = await Promise.all([first, ...others]);
    expect(count).toBe(1);
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(results.map(({ value }) => value))).toEqual(new Set([1]));
  });

  it("tells that it is busy, and rejects when the wait is over", async () => {
    await dead("k", 600_000);
    const fn = vi.fn<() => number>(() => 1);
    const busy = await fixture.of(b).tryRun("k", fn);
    expect(busy).toMatchObject({ status: "busy" });
    expect((busy as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(500_000);
    await expect(fixture.of(b).run("k", fn, { wait: 30 })).rejects.toThrow(TimeoutError);
    const signal = AbortSignal.abort();
    await expect(fixture.of(b).run("k", fn, { signal })).rejects.toMatchObject({ code: "ABORTED" });
    const controller = new AbortController();
    const waiting = fixture.of(b).run("k", fn, { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
    expect(await fixture.of(b).get("k")).toMatchObject({ status: "running", attempt: 1 });
    expect(await fixture.of(b).forget("k")).toMatchObject({ status: "busy" });
    expect(fn).not.toHaveBeenCalled();
  });

  it("refuses another fingerprint, while it runs, after it, and after a failure", async () => {
    const { open, opened } = gate();
    const running = fixture.of(a).run("k", () => opened, { fingerprint: "one" });
    await fixture.isRunning("k");
    const other = { fingerprint: Buffer.from("two") };
    expect(await fixture.of(b).tryRun("k", () => 1, other)).toEqual({ status: "mismatch" });
    open();
    await running;
    await expect(fixture.of(b).run("k", () => 1, other)).rejects.toMatchObject({ code: "CONFLICT", key: "k" });
    expect(await fixture.of(b).run("k", () => 1, { fingerprint: Buffer.from("one") })).toMatchObject({
      replayed: true,
    });
    expect(await fixture.of(b).run("k", () => 1)).toMatchObject({ replayed: true });
    await fixture
      .of(a)
      .run("failed", () => Promise.reject(new Error("no")), { fingerprint: "one" })
      .catch(() => undefined);
    expect(await fixture.of(b).tryRun("failed", () => 1, other)).toEqual({ status: "mismatch" });
    expect(await fixture.of(b).run("failed", () => 1)).toMatchObject({ replayed: false });
    expect(await fixture.of(b).tryRun("failed", () => 1, other)).toEqual({ status: "mismatch" });
  });

  it("after a failure the next caller runs it, also one that waits", async () => {
    const { open, opened } = gate();
    const runs: IdempotencyRun[] = [];
    const fails = fixture.of(a, { lease: "10m" }).run("k", async (run) => {
      runs.push(run);
      await opened;
      throw new RangeError("no");
    });
    await vi.waitFor(() => expect(runs).toHaveLength(1));
    const next = fixture.of(b, { lease: "10m" }).run("k", (run) => runs.push(run));
    await fixture.isAwaited("k");
    open();
    await expect(fails).rejects.toThrow(RangeError);
    expect(await next).toEqual({ value: 2, replayed: false });
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(runs[1]!.fence).toBeGreaterThan(runs[0]!.fence);
  });

  it("a final error is stored, and comes back with its name, message, code and data", async () => {
    const refusal = new FinalError("declined", { code: "card_declined", data: { left: 5 } });
    const fn = vi.fn<() => never>(() => {
      throw refusal;
    });
    await expect(fixture.of(a).run("k", fn)).rejects.toBe(refusal);
    const again = await fixture
      .of(b)
      .run("k", fn)
      .catch((error: unknown) => error);
    expect(again).toBeInstanceOf(FinalError);
    expect(again).toMatchObject({ name: "FinalError", message: "declined", code: "card_declined", data: { left: 5 } });
    expect(await fixture.of(b).get("k")).toMatchObject({ status: "failed", error: { code: "card_declined" } });
    expect(fn).toHaveBeenCalledOnce();
  });

  it("errors of other classes are final where isFinal says so", async () => {
    class Taken extends Error {
      override readonly name = "Taken";
      readonly code = 409;
    }
    const options = { isFinal: (error: unknown) => error instanceof Taken };
    await expect(fixture.of(a, options).run("k", () => Promise.reject(new Taken("12A")))).rejects.toThrow(Taken);
    await expect(fixture.of(b, options).run("k", () => 1)).rejects.toMatchObject({
      name: "Taken",
      message: "12A",
      code: 409,
    });
  });

  it('with `store: "success"` a final error is not stored, and the next may have another fingerprint', async () => {
    const options = { store: "success" } as const;
    const refused = fixture.of(a, options).run("k", () => Promise.reject(new FinalError("no")), { fingerprint: "one" });
    await expect(refused).rejects.toThrow("no");
    expect(await fixture.of(b, options).get("k")).toMatchObject({ status: "free", attempt: 1 });
    expect(await fixture.of(b, options).run("k", () => 1, { fingerprint: "two" })).toEqual({
      value: 1,
      replayed: false,
    });
  });

  it("forgets a key, so that it runs again", async () => {
    await fixture.of(a).run("k", () => 1, { fingerprint: "one" });
    expect(await fixture.of(b).get("k")).toEqual({ status: "done", value: 1 });
    expect(await fixture.of(b).forget("k")).toEqual({ status: "ok" });
    expect(await fixture.of(b).forget("k")).toEqual({ status: "missing" });
    expect(await fixture.of(b).get("k")).toBeUndefined();
    expect(await fixture.of(b).run("k", () => 2, { fingerprint: "two" })).toEqual({ value: 2, replayed: false });
  });

  it("stores nothing in clear where values are encrypted, and bound to its key", async () => {
    const encrypt = { keys: { k: "11".repeat(32) }, current: "k" };
    await fixture.of(a, { encrypt }).run("v", () => "s3cret", { fingerprint: "card 4242" });
    await fixture
      .of(a, { encrypt })
      .run("e", () => Promise.reject(new FinalError("s3cret", { code: "s3cret", data: "s3cret" })))
      .catch(() => undefined);
    for (const key of ["v", "e"]) expect(String(await two.send("GET", fixture.keyOf(key)))).not.toMatch(/s3cret|4242/);
    expect(await fixture.of(b, { encrypt }).run("v", () => 1)).toEqual({ value: "s3cret", replayed: true });
    await two.send("SET", fixture.keyOf("moved"), (await two.send("GET", fixture.keyOf("v"))) as never);
    await expect(fixture.of(b, { encrypt }).run("moved", () => 1)).rejects.toThrow(CodecError);
  });

  it("a value that cannot be stored is a failure, and one that a schema changes is what everybody gets", async () => {
    await expect(fixture.of(a).run("k", () => Symbol("no"))).rejects.toThrow(CodecError);
    expect(await fixture.of(b).get("k")).toMatchObject({ status: "free", attempt: 1 });
    await expect(fixture.of(a).run("e", () => Promise.reject(new FinalError("no", { data: 1n })))).rejects.toThrow(
      CodecError,
    );
    const schema = z.object({ n: z.number(), unit: z.string().default("EUR") });
    const typed = { schema } as never;
    const value = { n: 1, unit: "EUR" };
    expect(await fixture.of(a, typed).run("s", () => ({ n: 1 }))).toEqual({ value, replayed: false });
    expect(await fixture.of(b, typed).run("s", () => ({ n: 1 }))).toEqual({ value, replayed: true });
  });

  it("refuses a run inside itself, and allows one of another key", async () => {
    const keys = fixture.of(a);
    const nested = keys.run("k", () => keys.run("k", () => 1));
    await expect(nested).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await keys.run("o", () => keys.run("p", () => 1))).toMatchObject({ value: { value: 1 } });
  });

  it("repeats of one tick share a script", async () => {
    const keys = fixture.of(a);
    await keys.run("k", () => 1);
    const scripts = vi.spyOn(a.driver, "script");
    try {
      await Promise.all(Array.from({ length: 10 }, () => keys.run("k", () => 2)));
      expect(scripts).toHaveBeenCalledOnce();
    } finally {
      scripts.mockRestore();
    }
  });

  it("takes keys of any length, and refuses what makes no sense", async () => {
    const long = "x".repeat(5_000);
    await fixture.of(a).run(long, () => 1);
    expect(await fixture.of(b).run(long, () => 2)).toMatchObject({ replayed: true });
    expect(await fixture.of(b).run(`${long}y`, () => 2)).toMatchObject({ replayed: false });
    for (const options of [{ ttl: "never" }, { lease: 5 }, { store: "none" }, { isFinal: 1 }, { tttl: 1 }])
      expect(() => fixture.of(a, options as never)).toThrow(InvalidArgumentError);
    await expect(fixture.of(a).run("k", 1 as never)).rejects.toThrow(
      `idempotency "${fixture.name}": fn: expected a function`,
    );
    await expect(fixture.of(a).run("k", () => 1, { fingerprint: {} as never })).rejects.toThrow("fingerprint");
    await two.send("SET", fixture.keyOf("foreign"), "x");
    await expect(fixture.of(a).run("foreign", () => 1)).rejects.toThrow(HoldfastError);
  });
});
