/**
 * Who follows a run, and what becomes of its outcome.
 * What could go wrong, and the test for each:
 * - a dead runner blocks for ever ....................... "follows a runner that died", "a stuck run is told so at maxHold"
 * - a run that takes long is followed while it runs ..... "is renewed for as long as it takes"
 * - a late outcome replaces its successor's ............. "a run that lost its lease"
 * - an eviction loses an outcome ........................ "an evicted key"
 * - closing loses an outcome, or waits for itself ....... "closing the handle aborts the signal", "a run that closes its own handle"
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { gate, OnceFixture } from "../../test/support/once-fixture.ts";
import { LeaseLostError } from "../base/errors.ts";
import { runScript } from "../core/script/run.ts";
import type { Holdfast } from "../holdfast.ts";
import { createTestServer } from "../testing/index.ts";
import type { IdempotencyRun } from "./runs.ts";
import { begin } from "./scripts.gen.ts";

describe.each(backends())("idempotency: successors [$name]", (backend) => {
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

  it("follows a runner that died, once its lease is over, with a higher attempt and fence", async () => {
    const { fence } = (await dead("k", 300)) as { fence: number };
    const result = await fixture.of(b).run("k", (run) => [run.attempt, run.fence > fence]);
    expect(result).toEqual({ value: [2, true], replayed: false });
  });

  it("a run that lost its lease leaves its successor's outcome, and its caller gets that", async () => {
    const { open, opened } = gate();
    let lost: unknown;
    const first = fixture.of(a, { lease: 600 }).run("k", async ({ signal }) => {
      signal.addEventListener("abort", () => (lost = signal.reason));
      await opened;
      return "first";
    });
    await fixture.isRunning("k");
    await two.send("DEL", fixture.keyOf("k"));
    expect(await fixture.of(b).run("k", () => "second")).toEqual({ value: "second", replayed: false });
    await vi.waitFor(() => expect(lost).toBeInstanceOf(LeaseLostError));
    open();
    expect(await first).toEqual({ value: "second", replayed: true });
    expect(await fixture.of(b).run("k", () => "third")).toEqual({ value: "second", replayed: true });
  });

  it("a run that lost its lease to one that still runs says so, and stores nothing", async () => {
    const [one, other] = [gate(), gate()];
    const first = fixture.of(a).run("k", () => one.opened);
    await fixture.isRunning("k");
    await two.send("DEL", fixture.keyOf("k"));
    const second = fixture.of(b).run("k", () => other.opened.then(() => "second"));
    await fixture.isRunning("k");
    one.open();
    await expect(first).rejects.toMatchObject({ code: "LEASE_LOST", reason: "stolen" });
    other.open();
    expect(await second).toEqual({ value: "second", replayed: false });
  });

  it("an evicted key: the outcome of the run that still holds it is stored", async () => {
    const { open, opened } = gate();
    const first = fixture.of(a).run("k", () => opened.then(() => 1));
    await fixture.isRunning("k");
    await two.send("DEL", fixture.keyOf("k"));
    open();
    expect(await first).toEqual({ value: 1, replayed: false });
    expect(await fixture.of(b).run("k", () => 2)).toEqual({ value: 1, replayed: true });
  });

  it("closing the handle aborts the signal, and waits for the outcome to be stored", async () => {
    const hf = await two.another();
    const running = fixture.of(hf).run("k", async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return (signal.reason as LeaseLostError).reason;
    });
    await fixture.isRunning("k");
    await hf.close();
    expect(await running).toEqual({ value: "closed", replayed: false });
    expect(await fixture.of(b).run("k", () => 1)).toEqual({ value: "closed", replayed: true });
    await expect(fixture.of(hf).run("k", () => 1)).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("a run that closes its own handle does not wait for itself, and is stored", async () => {
    const hf = await two.another();
    const running = fixture.of(hf).run("k", async () => {
      await hf.close();
      return 1;
    });
    expect(await running).toEqual({ value: 1, replayed: false });
    await hf.close();
    expect(await fixture.of(b).run("k", () => 2)).toEqual({ value: 1, replayed: true });
  });
});

describe("idempotency under a virtual clock [embedded]", () => {
  it("a run is renewed for as long as it takes, and its outcome kept for the ttl", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const [a, b] = await Promise.all([server.connect({ prefix: "p" }), server.connect({ prefix: "p" })]);
    const fn = vi.fn<(run: IdempotencyRun) => Promise<unknown>>(
      ({ attempt }) =>
        new Promise((resolve) => a.driver.runtime.setTimeout(() => resolve(attempt), attempt === 1 ? 300_000 : 0)),
    );
    const [keys, others] = [a.idempotency("once"), b.idempotency("once")];
    const first = keys.run("k", fn);
    await server.clock.advance("1s");
    const waiting = others.run("k", fn, { wait: "1h" });
    await server.clock.advance("4m");
    expect(await others.tryRun("k", fn)).toMatchObject({ status: "busy" });
    await server.clock.advance("2m");
    expect(await first).toEqual({ value: 1, replayed: false });
    expect(await waiting).toEqual({ value: 1, replayed: true });
    await server.clock.advance("23h");
    expect(await others.run("k", fn)).toEqual({ value: 1, replayed: true });
    await server.clock.advance("1h");
    const again = others.run("k", fn);
    await server.clock.advance("6m");
    expect(await again).toEqual({ value: 1, replayed: false });
    expect(fn).toHaveBeenCalledTimes(2);
  });

  it("a stuck run is told so at maxHold, and followed by the next", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const [a, b] = await Promise.all([server.connect({ prefix: "p" }), server.connect({ prefix: "p" })]);
    let reason: unknown;
    const stuck = a.idempotency("once", { maxHold: "1m" }).run("k", ({ signal }) => {
      signal.addEventListener("abort", () => (reason = (signal.reason as LeaseLostError).reason));
      return new Promise<never>(() => {});
    });
    stuck.catch(() => undefined);
    await server.clock.advance("61s");
    expect(reason).toBe("maxHold");
    await server.clock.advance("10s");
    expect(await b.idempotency("once").run("k", ({ attempt }) => attempt)).toEqual({ value: 2, replayed: false });
  });
});
