/**
 * What could go wrong, and the test for each:
 * - a newcomer is quicker than those who wait ........................ "in order of arrival", "a process that loops"
 * - who needs many permits starves .................................. "nobody passes"
 * - or holds up those who need few, though that was not wanted ........ "may be passed"
 * - one release lets only one in where several fit ................... "as many as fit"
 * - a waiter that died keeps what was handed over to it .............. "a dead waiter costs the next one a second"
 * - a waiter that gave up stays in the queue, or takes its turn along .. "leaves nothing behind", "lets in who stood behind"
 * - a lost wake-up leaves a waiter asleep ........................... "a lost wake-up"
 * - one that can never be granted any more blocks the queue ........... "the limit was lowered"
 */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { permitWaiters, takenPermits } from "../../test/support/semaphore-fixture.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { AbortedError, InvalidArgumentError, TimeoutError } from "../base/errors.ts";
import { runScript } from "../core/script/run.ts";
import type { Holdfast } from "../holdfast.ts";
import type { HeldPermits } from "./held-permits.ts";
import { wait as waitScript } from "./scripts.gen.ts";

describe.each(backends())("waiting for permits [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ a: hf, b: other } = handles);
  });

  function keysOf(name: string): Record<"permits" | "state" | "queue" | "alive", string> {
    const permits = `${handles.prefix}:semaphore:{${name}}`;
    return { permits, state: `${permits}:state`, queue: `${permits}:queue`, alive: `${permits}:alive` };
  }

  /** As of a process that dies while it waits. */
  function deadWaiter(name: string, count: number): Promise<unknown> {
    const args = { hold: `${randomUUID()}:${count}`, count, limit: 1, ttlMs: 60_000, strict: true, since: 0 };
    const wakeChannel = `${handles.prefix}:wake:all`;
    return runScript(hf.driver, waitScript, keysOf(name), { ...args, wakeChannel }, { op: "test" });
  }

  it("lets waiters in in order of arrival", async () => {
    const name = randomName();
    const order: number[] = [];
    const first = await takenPermits(hf, name, { permits: 1, ttl: "1h" });
    const waits: Promise<void>[] = [];
    for (let nth = 0; nth < 6; nth += 1) {
      const of = nth % 2 === 0 ? hf : other;
      waits.push(of.semaphore(name, { permits: 1, ttl: "1h" }).run(() => void order.push(nth)));
      await permitWaiters(hf, name, nth + 1);
    }
    await first.release();
    await Promise.all(waits);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("a process that loops does not shut out the queue", async () => {
    const name = randomName();
    const semaphore = hf.semaphore(name, { permits: 1, ttl: "1h" });
    let held = await semaphore.acquire();
    const waiting = other.semaphore(name, { permits: 1, ttl: "1h" }).acquire();
    await permitWaiters(hf, name, 1);
    await held.release();
    // At once, before the waiter can know of the release.
    const again = semaphore.acquire();
    const next = await waiting;
    expect(await Promise.race([again, Promise.resolve("waits")])).toBe("waits");
    await next.release();
    held = await again;
    expect(held.fence).toBeGreaterThan(next.fence);
    await held.release();
  });

  it("strict: nobody passes one that waits for many", async () => {
    const name = randomName();
    const options = { permits: 3, ttl: "1h" } as const;
    const held = await takenPermits(hf, name, options, 2);
    const many = other.semaphore(name, options).acquire({ permits: 3 });
    await permitWaiters(hf, name, 1);
    expect(await hf.semaphore(name, options).tryAcquire()).toMatchObject({ status: "busy" });
    const one = hf.semaphore(name, options).acquire();
    await permitWaiters(hf, name, 2);
    await held.release();
    const big = await many;
    expect(await hf.semaphore(name, options).info()).toMatchObject({ held: 3, waiters: 1 });
    await big.release();
    await (await one).release();
  });

  it("first-fit: one that waits for many may be passed", async () => {
    const name = randomName();
    const options = { permits: 3, ttl: "1h", order: "first-fit" } as const;
    const held = await takenPermits(hf, name, options, 2);
    const many = other.semaphore(name, options).acquire({ permits: 3 });
    await permitWaiters(hf, name, 1);
    const one = await takenPermits(hf, name, options);
    const behind = hf.semaphore(name, options).acquire();
    await permitWaiters(hf, name, 2);
    await one.release();
    await Promise.all([held.release(), behind.then((each) => each.release())]);
    expect((await many).permits).toBe(3);
    await (await many).release();
  });

  it("one release lets in as many as fit", async () => {
    const name = randomName();
    const options = { permits: 4, ttl: "1h" } as const;
    const held = await takenPermits(hf, name, options, 4);
    const waits: Promise<HeldPermits>[] = [];
    for (const permits of [1, 2, 1, 1]) {
      waits.push(other.semaphore(name, options).acquire({ permits }));
      await permitWaiters(hf, name, waits.length);
    }
    await held.release();
    const granted = await Promise.all(waits.slice(0, 3));
    expect(await hf.semaphore(name, options).info()).toMatchObject({ held: 4, waiters: 1 });
    await granted[0]!.release();
    await (await waits[3]!).release();
    await Promise.all(granted.map((each) => each.release()));
  });

  it("a dead waiter costs the next one a second, not a ttl", async () => {
    const name = randomName();
    const options = { permits: 1, ttl: "1h" } as const;
    const held = await takenPermits(hf, name, options);
    expect(await deadWaiter(name, 1)).toMatchObject({ status: "busy" });
    const next = other.semaphore(name, options).acquire();
    await permitWaiters(hf, name, 2);
    await held.release();
    const begun = performance.now();
    await (await next).release();
    // Half a minute is what it would be without: the lower bound is the time that the dead one has.
    expect(performance.now() - begun).toBeGreaterThan(500);
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  it("gives up after `wait` and on its signal, and leaves nothing behind", async () => {
    const name = randomName();
    const options = { permits: 2 };
    const held = await takenPermits(hf, name, options, 2);
    const semaphore = other.semaphore(name, options);
    await expect(semaphore.acquire({ wait: 50 })).rejects.toBeInstanceOf(TimeoutError);
    await expect(semaphore.acquire({ permits: 2, wait: 50 })).rejects.toThrow("not 2 permits free after 50 ms");
    const abort = new AbortController();
    const waiting = semaphore.acquire({ signal: abort.signal });
    await permitWaiters(hf, name, 1);
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
    await permitWaiters(hf, name, 0);
    await held.release();
  });

  it("a big request that gives up lets in who stood behind it", async () => {
    const name = randomName();
    const options = { permits: 2, ttl: "1h" } as const;
    const held = await takenPermits(hf, name, options);
    const abort = new AbortController();
    const big = other.semaphore(name, options).acquire({ permits: 2, signal: abort.signal });
    await permitWaiters(hf, name, 1);
    const small = hf.semaphore(name, options).acquire();
    await permitWaiters(hf, name, 2);
    abort.abort();
    await expect(big).rejects.toBeInstanceOf(AbortedError);
    await (await small).release();
    await held.release();
  });

  it("a lost wake-up: the waiter finds what was handed over when it looks again", async () => {
    const name = randomName();
    const held = await takenPermits(hf, name, { permits: 1, ttl: 1_500, renew: false });
    const next = other.semaphore(name, { permits: 1 }).acquire();
    await permitWaiters(hf, name, 1);
    await handles.send("DEL", keysOf(name).queue);
    await handles.send("DEL", keysOf(name).alive);
    await held.release();
    expect(await (await next).release()).toEqual({ status: "ok" });
  });

  it("the limit was lowered below what one waits for: it is refused, and those behind come in", async () => {
    const name = randomName();
    const options = { permits: 3, ttl: "1h" } as const;
    const held = await takenPermits(hf, name, options);
    const big = other.semaphore(name, options).acquire({ permits: 3 });
    await permitWaiters(hf, name, 1);
    const small = other.semaphore(name, options).acquire();
    await permitWaiters(hf, name, 2);
    await Promise.all([
      expect(big).rejects.toBeInstanceOf(InvalidArgumentError),
      hf.semaphore(name, options).resize(2),
    ]);
    await (await small).release();
    await held.release();
  });
});
