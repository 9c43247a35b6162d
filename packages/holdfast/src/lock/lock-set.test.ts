/**
 * Several locks at once. What could go wrong, and the test for each:
 * - two callers that name them in opposite order wait for each other .. "no deadlock, whatever order they are named in"
 * - some stay held when the others were not to be had .................. "holds none when it gives up", "says which one is busy"
 * - what is held while waiting keeps others from what is free ........... "gives back what comes behind the busy one"
 * - one is lost before the last is acquired ........................... "acquires again what was lost"
 * - a signal that has fired stops nothing ............................. "acquires nothing for a signal"
 * - the loss of one is not noticed ...................................... "aborts when one of them is lost"
 * - a fence is taken for another lock's ................................. "each has its own fence"
 * - the body waits for what it holds itself ............................. "refuses a nested run of one of them"
 * - one script per lock where one would do .............................. "asks once per slot"
 */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, lossOf, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import { until } from "../../test/support/until.ts";
import { AbortedError, TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { createTestServer } from "../testing/index.ts";

describe.each(backends())("several locks [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ hf, other } = fixture);
  });

  /** In the order of all locks. */
  const freshNames = (count: number): string[] => Array.from({ length: count }, freshName).sort();

  it("are held together, and each has its own fence", async () => {
    const [a, b, c] = freshNames(3) as [string, string, string];
    const held = await hf.lock([c, a, b]).acquire();
    expect(held.names).toEqual([a, b, c]);
    expect([...held.fences.keys()]).toEqual([a, b, c]);
    for (const name of [a, b, c]) expect((await other.lock(name).info())!.fence).toBe(held.fences.get(name));
    expect(await held.extend("1h")).toEqual({ status: "ok" });
    expect(held.remainingMs).toBeGreaterThan(3_500_000);
    expect(await held.release()).toEqual({ status: "ok" });
    expect(held.held).toBe(false);
    for (const name of [a, b, c]) expect(await other.lock(name).info()).toBeUndefined();
  });

  it("acquires again what was lost while the others were waited for", async () => {
    const [a, b] = freshNames(2) as [string, string];
    const blocker = await taken(hf, b);
    const waiting = other.lock([a, b], { ttl: 500, renew: false }).acquire();
    await waitersOf(hf, b, 1);
    await until("the loss of the first", async () => (await hf.lock(a).info()) === undefined);
    await blocker.release();
    const held = await waiting;
    expect(held.fences.get(a)).toBe((await hf.lock(a).info())!.fence);
    await held.release();
  });

  it("acquires nothing for a signal that has fired", async () => {
    const names = freshNames(2);
    await expect(hf.lock(names).acquire({ signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
    for (const name of names) expect(await other.lock(name).info()).toBeUndefined();
  });

  it("no deadlock, whatever order they are named in", { timeout: 60_000 }, async () => {
    const names = freshNames(4);
    let inside = 0;
    const work = async (of: Holdfast, wanted: string[]): Promise<void> => {
      for (let round = 0; round < 10; round += 1) {
        await of.lock(wanted, { ttl: "60s" }).run(
          async () => {
            inside += 1;
            expect(inside).toBe(1);
            await of.ping();
            inside -= 1;
          },
          { wait: "60s" },
        );
      }
    };
    const [a, b, c, d] = names as [string, string, string, string];
    // Any two of them have a lock in common.
    await Promise.all([work(hf, [a, b, c]), work(other, [c, b, a]), work(hf, [d, b, a]), work(other, [b, d, c])]);
    for (const name of names) expect(await hf.lock(name).info()).toBeUndefined();
  });

  it("gives back what comes behind the busy one, and waits holding only what comes before it", async () => {
    const [a, b, c] = freshNames(3) as [string, string, string];
    const busy = await taken(other, b, { ttl: "1h" });
    const wait = hf.lock([a, b, c], { ttl: "1h" }).acquire();
    await waitersOf(other, b, 1);
    expect(await other.lock(a).tryAcquire()).toMatchObject({ status: "busy" });
    await (await taken(other, c)).release();
    await busy.release();
    expect(await (await wait).release()).toEqual({ status: "ok" });
  });

  it("says which one is busy, and holds none", async () => {
    const [a, b] = freshNames(2) as [string, string];
    const busy = await taken(other, b, { ttl: "1h" });
    expect(await hf.lock([a, b]).tryAcquire()).toEqual({ status: "busy", name: b, ttlMs: expect.any(Number) });
    expect(await other.lock(a).info()).toBeUndefined();
    await busy.release();
  });

  it("holds none when it gives up", async () => {
    const [a, b] = freshNames(2) as [string, string];
    const busy = await taken(other, b, { ttl: "1h" });
    await expect(hf.lock([a, b]).acquire({ wait: 50 })).rejects.toBeInstanceOf(TimeoutError);
    expect(await other.lock(a).info()).toBeUndefined();
    await waitersOf(other, b, 0);
    await busy.release();
  });

  it("aborts when one of them is lost, and its run rejects", async () => {
    const names = freshNames(2);
    const held = await hf.lock(names, { ttl: 600 }).acquire();
    const lost = lossOf(held);
    await fixture.send("DEL", fixture.keysOf(names[1]!).lock);
    expect(await lost).toMatchObject({ code: "LEASE_LOST", reason: "expired" });
    expect(held.held).toBe(false);
    expect(await held.release()).toEqual({ status: "expired" });
    expect(await other.lock(names[0]!).info()).toBeUndefined();
    await until("the lost one to be free", async () => (await other.lock(names[1]!).tryAcquire()).status === "ok");
  });

  it("refuses a nested run of one of them, and lets one of the same owner in", async () => {
    const names = freshNames(2);
    await hf.lock(names).run(async () => {
      await expect(hf.lock(names[1]!).acquire()).rejects.toMatchObject({ code: "CONFLICT" });
      await expect(hf.lock(names).acquire()).rejects.toMatchObject({ code: "CONFLICT" });
    });
    const inner = await hf
      .lock(names, { owner: "job" })
      .run(() => hf.lock(names, { owner: "job" }).run((held) => held.owner));
    expect(inner).toBe("job");
  });

  it("refuses no names, the same twice, and what is no list of names", () => {
    const refusal = expect.objectContaining({ name: "InvalidArgumentError", field: "names" });
    for (const bad of [[], ["a", "a"], {}]) expect(() => hf.lock(bad as string[])).toThrow(refusal);
    expect(() => hf.lock(["a", ""])).toThrow(expect.objectContaining({ name: "InvalidArgumentError" }));
  });
});

it("several free locks are asked for once per slot, and released so [embedded]", async () => {
  await using server = await createTestServer();
  const hf = await server.connect();
  const scripts = async (): Promise<number> => {
    const stats = String(await hf.driver.send(["INFO", "commandstats"], { op: "test", class: "read" }));
    return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
  };
  await (await hf.lock(["a", "b", "c"]).acquire()).release();
  const before = await scripts();
  await (await hf.lock(["a", "b", "c"]).acquire()).release();
  expect((await scripts()) - before).toBe(2);
});

it("gives up in time on a server that has fallen silent [embedded]", async () => {
  await using server = await createTestServer({ clock: "virtual" });
  const hf = await server.connect({ timeout: "1m" });
  await (await hf.lock(["a", "b"]).acquire()).release();
  server.faults.pause();
  const ended = vi.fn<(error: unknown) => void>();
  void hf.lock(["a", "b"]).acquire({ wait: 1_500 }).catch(ended);
  // And a second for the request under way, as for one lock.
  await server.clock.advance("3s");
  expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: expect.stringMatching(/TIMEOUT|UNAVAILABLE/) }));
});
