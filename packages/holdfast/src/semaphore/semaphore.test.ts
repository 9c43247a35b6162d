/**
 * What could go wrong, and the test for each:
 * - more permits are held than there are ............................ "never more than the limit"
 * - a fence does not rise ........................................... the same
 * - permits are given back twice, and make room that is not there .... "released twice"
 * - somebody else's are given back, or those that have expired ....... "deleted behind its back", "expired"
 * - many permits are acquired in part ............................... "all or none"
 * - more than there can ever be are waited for ...................... "refuses at once"
 * - a smaller limit breaks holders, or counts too late ............... "a lower limit"
 * - it is not clear which limit counts .............................. "the stored limit", "until it is reset"
 * - the holders of a crowded semaphore do not fit into a reply ........ "info shows a page"
 * - a key stays for ever ........................................... "every key expires"
 * - merged calls get each other's answers ........................... "in one tick"
 * - an option that is not understood is ignored ..................... "at the door"
 * (waiting.test.ts: the queue; faults.test.ts: lost answers, full memory, lost keys; simulation.test.ts: pauses, clocks, restarts)
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { permitWaiters, takenPermits } from "../../test/support/semaphore-fixture.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { ClosedError, InvalidArgumentError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";

describe.each(backends())("semaphores [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ a: hf, b: other } = handles);
  });

  const keyOf = (name: string): string => `${handles.prefix}:semaphore:{${name}}`;

  it("has its permits, is busy beyond them, and free again", async () => {
    const name = randomName();
    const options = { permits: 2, ttl: "20s" } as const;
    const [first, second] = [await takenPermits(hf, name, options), await takenPermits(other, name, options)];
    expect(first).toMatchObject({ name, held: true, permits: 1 });
    expect(second.fence).toBeGreaterThan(first.fence);
    const busy = await other.semaphore(name, options).tryAcquire();
    expect(busy).toMatchObject({ status: "busy" });
    expect((busy as { ttlMs: number }).ttlMs).toBeGreaterThan(10_000);
    await expect(hf.semaphore(name, options).acquire({ wait: 0 })).rejects.toMatchObject({ code: "TIMEOUT" });
    expect(await first.release()).toEqual({ status: "ok" });
    expect(first.held).toBe(false);
    expect(first.signal.aborted).toBe(false);
    const third = await takenPermits(other, name, options);
    expect(third.fence).toBeGreaterThan(second.fence);
    expect(await Promise.all([second.release(), third.release()])).toEqual([{ status: "ok" }, { status: "ok" }]);
    expect(await hf.semaphore(name, options).info()).toMatchObject({ held: 0, holders: [] });
  });

  it("never more than the limit, and fences that only rise", { timeout: 120_000 }, async () => {
    const name = randomName();
    const fences: number[] = [];
    let held = 0;
    let most = 0;
    const work = async (of: Holdfast, nth: number): Promise<void> => {
      const semaphore = of.semaphore(name, { permits: 3, ttl: "60s" });
      const permits = 1 + (nth % 3);
      for (let round = 0; round < 10; round += 1) {
        await semaphore.run(
          async (grant) => {
            held += permits;
            most = Math.max(most, held);
            fences.push(grant.fence);
            await of.ping();
            held -= permits;
          },
          { permits, wait: "60s" },
        );
      }
    };
    await Promise.all([hf, other].flatMap((of) => Array.from({ length: 9 }, (_, nth) => work(of, nth))));
    expect(most).toBe(3);
    expect(new Set(fences).size).toBe(180);
    expect(await hf.semaphore(name, { permits: 3 }).info()).toMatchObject({ held: 0, waiters: 0 });
  });

  it("in one tick: each call has its own answer", async () => {
    const names = Array.from({ length: 20 }, randomName);
    const results = await Promise.all(
      names.flatMap((name, nth) =>
        Array.from({ length: 3 }, () => hf.semaphore(name, { permits: 1 + (nth % 3) }).tryAcquire()),
      ),
    );
    const granted = names.map((_, nth) => results.slice(nth * 3, nth * 3 + 3).filter(({ status }) => status === "ok"));
    expect(granted.map((each) => each.length)).toEqual(names.map((_, nth) => 1 + (nth % 3)));
    const held = results.flatMap((each) => (each.status === "ok" ? [each.permit] : []));
    const releases = await Promise.all(held.map((each) => each.release()));
    expect(new Set(releases.map(({ status }) => status))).toEqual(new Set(["ok"]));
  });

  it("weighs requests: all or none", async () => {
    const name = randomName();
    const semaphore = hf.semaphore(name, { permits: 5 });
    const three = await semaphore.acquire({ permits: 3 });
    expect(three.permits).toBe(3);
    expect(await semaphore.tryAcquire({ permits: 3 })).toMatchObject({ status: "busy" });
    const two = await semaphore.acquire({ permits: 2 });
    expect(await semaphore.info()).toMatchObject({ limit: 5, held: 5 });
    await three.release();
    expect(await semaphore.info()).toMatchObject({ held: 2 });
    await two.release();
  });

  it("refuses at once more permits than there are", async () => {
    const semaphore = hf.semaphore(randomName(), { permits: 2 });
    await expect(semaphore.acquire({ permits: 3 })).rejects.toThrow(/permits: expected at most 2.*got 3/);
    await expect(semaphore.tryAcquire({ permits: 3 })).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(await semaphore.info()).toMatchObject({ held: 0, waiters: 0 });
  });

  it("released twice gives back once", async () => {
    const name = randomName();
    const semaphore = hf.semaphore(name, { permits: 1 });
    const first = await semaphore.acquire();
    expect(await Promise.all([first.release(), first.release()])).toEqual([{ status: "ok" }, { status: "ok" }]);
    const second = await semaphore.acquire();
    expect(await first.release()).toEqual({ status: "ok" });
    expect(await other.semaphore(name, { permits: 1 }).tryAcquire()).toMatchObject({ status: "busy" });
    expect(second.held).toBe(true);
    await second.release();
  });

  it("expired permits are another's, and their holder has known before", async () => {
    const name = randomName();
    const first = await takenPermits(hf, name, { permits: 1, ttl: 200, renew: false });
    const second = await other.semaphore(name, { permits: 1, ttl: "20s" }).acquire();
    expect(first.held).toBe(false);
    expect(first.signal.reason).toMatchObject({ code: "LEASE_LOST", reason: "expired" });
    expect(await first.release()).toEqual({ status: "expired" });
    expect(await first.extend()).toEqual({ status: "expired" });
    expect(second.held).toBe(true);
    expect(await second.release()).toEqual({ status: "ok" });
  });

  it("expired permits that a request finds which is busy all the same are free for the next", async () => {
    const name = randomName();
    const options = { permits: 3, ttl: "20s" } as const;
    const kept = await hf.semaphore(name, options).acquire({ permits: 2 });
    const dead = await takenPermits(hf, name, { permits: 3, ttl: 150, renew: false });
    await until("its ttl to be over", () => !dead.held);
    await until("the server to find it", async () => (await hf.semaphore(name, options).info()).held === 2);
    expect(await other.semaphore(name, options).tryAcquire({ permits: 2 })).toMatchObject({ status: "busy" });
    const next = await other.semaphore(name, options).tryAcquire({ permits: 1 });
    expect(next.status).toBe("ok");
    if (next.status === "ok") await next.permit.release();
    await kept.release();
  });

  it("is renewed, and extended", async () => {
    const name = randomName();
    const held = await takenPermits(hf, name, { permits: 1, ttl: 600 });
    await until("a renewal", async () => {
      const [holder] = (await hf.semaphore(name, { permits: 1 }).info()).holders;
      return holder !== undefined && held.remainingMs > 450 && held.remainingMs < 590;
    });
    expect(await held.extend("1h")).toEqual({ status: "ok" });
    const [holder] = (await hf.semaphore(name, { permits: 1 }).info()).holders;
    expect(holder).toMatchObject({ id: held.id, permits: 1 });
    expect(holder!.ttlMs).toBeGreaterThan(3_500_000);
    await held.release();
  });

  it("deleted behind its back: the holder learns of it", async () => {
    const name = randomName();
    const held = await takenPermits(hf, name, { permits: 1 });
    await handles.send("DEL", keyOf(name));
    expect(await held.extend()).toEqual({ status: "expired" });
    expect(held.signal.aborted).toBe(true);
  });

  it("a lower limit takes nothing from holders, and lets nobody in until enough have left", async () => {
    const name = randomName();
    const semaphore = hf.semaphore(name, { permits: 3 });
    const held = await Promise.all([semaphore.acquire(), semaphore.acquire(), semaphore.acquire()]);
    expect(await semaphore.resize(1)).toEqual({ held: 3 });
    expect(held.every((each) => each.held)).toBe(true);
    expect(await held[0].extend()).toEqual({ status: "ok" });
    await held[0].release();
    await held[1].release();
    expect(await semaphore.tryAcquire()).toMatchObject({ status: "busy" });
    await held[2].release();
    expect(await semaphore.tryAcquire()).toMatchObject({ status: "ok" });
    expect(await semaphore.tryAcquire()).toMatchObject({ status: "busy" });
  });

  it("the stored limit counts for every process until it is reset, then its own", async () => {
    const name = randomName();
    const [two, four] = [hf.semaphore(name, { permits: 2 }), other.semaphore(name, { permits: 4 })];
    await two.resize(3);
    expect(await four.info()).toMatchObject({ limit: 3, resized: true });
    await expect(four.tryAcquire({ permits: 4 })).rejects.toThrow("at most 3");
    await two.reset();
    expect(await four.info()).toMatchObject({ limit: 4, resized: false });
    expect(await two.info()).toMatchObject({ limit: 2, resized: false });
    const all = await four.acquire({ permits: 4 });
    expect(await two.tryAcquire()).toMatchObject({ status: "busy" });
    await all.release();
  });

  it("a higher limit lets those in who wait, and 0 lets in nobody", async () => {
    const name = randomName();
    const semaphore = hf.semaphore(name, { permits: 1 });
    await semaphore.resize(0);
    expect(await semaphore.tryAcquire()).toMatchObject({ status: "busy" });
    const waits = [semaphore.acquire(), other.semaphore(name, { permits: 1 }).acquire()];
    await permitWaiters(hf, name, 2);
    await semaphore.resize(2);
    const held = await Promise.all(waits);
    await Promise.all(held.map((each) => each.release()));
  });

  it("info shows a page of the holders, those first who expire first", async () => {
    const name = randomName();
    const semaphore = hf.semaphore(name, { permits: 10 });
    const long = await takenPermits(hf, name, { permits: 10, ttl: "1h" }, 2);
    const short = await semaphore.acquire({ permits: 3 });
    const { holders, held } = await semaphore.info();
    expect(held).toBe(5);
    expect(holders.map(({ id, permits }) => [id, permits])).toEqual([
      [short.id, 3],
      [long.id, 2],
    ]);
    expect(await semaphore.info({ holders: 1 })).toMatchObject({ held: 5, holders: [{ id: short.id }] });
    await Promise.all([long.release(), short.release()]);
  });

  it("every key expires", async () => {
    const name = randomName();
    const held = await takenPermits(hf, name, { permits: 1 });
    const waiting = hf.semaphore(name, { permits: 1 }).acquire();
    await permitWaiters(hf, name, 1);
    const keys = await handles.keys(`semaphore:{${name}`);
    expect(keys).toHaveLength(4);
    for (const key of keys) expect(await handles.send("PTTL", key)).toBeGreaterThan(0);
    await hf.semaphore(name, { permits: 1 }).resize(2);
    expect(await handles.send("PTTL", keyOf(name))).toBeGreaterThan(6 * 86_400_000);
    await Promise.all([held.release(), waiting.then((next) => next.release())]);
  });

  it("runs a body, and refuses to wait for itself in it", async () => {
    const semaphore = hf.semaphore(randomName(), { permits: 2 });
    expect(await semaphore.run((held) => held.permits, { permits: 2 })).toBe(2);
    await expect(semaphore.run(() => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
    const nested = semaphore.run(() => semaphore.acquire());
    await expect(nested).rejects.toMatchObject({ code: "CONFLICT", op: "semaphore.acquire" });
    expect(await semaphore.run(() => semaphore.tryAcquire({ permits: 2 }))).toMatchObject({ status: "busy" });
    await expect(semaphore.run(5 as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(await semaphore.info()).toMatchObject({ held: 0 });
  });

  it("a closed handle gives back what it holds", async () => {
    const name = randomName();
    const closing = await handles.another();
    const held = await takenPermits(closing, name, { permits: 1, ttl: "1h" });
    const wait = closing.semaphore(name, { permits: 1 }).acquire();
    await permitWaiters(hf, name, 1);
    await Promise.all([closing.close(), expect(wait).rejects.toBeInstanceOf(ClosedError)]);
    expect(held.signal.reason).toMatchObject({ reason: "closed" });
    await (await hf.semaphore(name, { permits: 1 }).acquire()).release();
    await expect(closing.semaphore(name, { permits: 1 }).tryAcquire()).rejects.toBeInstanceOf(ClosedError);
  });

  it("refuses what it does not understand at the door", () => {
    const refused = [{}, { permits: 0 }, { permits: 1.5 }, { permits: 1, ttl: 99 }, { permits: 1, order: "lifo" }];
    for (const options of [...refused, { permits: 1, permit: 2 }, undefined, 5])
      expect(() => hf.semaphore("x", options as never)).toThrow(/^semaphore "x": /);
  });
});
