/**
 * What could go wrong, and the test for each:
 * - somebody is in beside a writer, or two write .................... "many readers or one writer", "readers xor writer"
 * - a writer starves because readers keep coming .................... "a waiting writer keeps new readers out"
 * - readers starve because writers keep coming ...................... "all readers that wait come in"
 * - a dead reader lives on because others renew ..................... "each reader has a ttl of its own"
 * - a dead writer, or one that died waiting, blocks for more than that ... "a writer that died", "a dead waiter"
 * - between a downgrade and what follows another writes ............. "downgrade"
 * - two that upgrade wait for each other ........................... "one upgradable at a time"
 * - an upgrade that is given up loses what was held, or keeps the door shut .. "given up"
 * - a hold is given back twice, or another's is ..................... "released twice"
 * - a key stays for ever .......................................... "every key expires"
 * - a body waits for the lock that it is in ........................ "refuses to wait for itself"
 * (faults.test.ts: lost answers, full memory, lost keys; simulation.test.ts: pauses, clocks, restarts)
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { waitingAt } from "../../test/support/rwlock-fixture.ts";
import { until } from "../../test/support/until.ts";
import { AbortedError, ClosedError, InvalidArgumentError, LeaseLostError, TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { runScript } from "../core/script/run.ts";
import { acquire } from "./scripts.gen.ts";

describe.each(backends())("read-write locks [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ a: hf, b: other } = handles);
  });

  it("many readers or one writer", async () => {
    const name = randomName();
    const [lock, theirs] = [hf.rwlock(name), other.rwlock(name)];
    const readers = [await lock.read.acquire(), await theirs.read.acquire()];
    expect(await lock.info()).toMatchObject({ mode: "read", readers: 2, upgradable: false });
    expect(await theirs.write.tryAcquire()).toMatchObject({ status: "busy" });
    expect(await Promise.all(readers.map((each) => each.release()))).toEqual([{ status: "ok" }, { status: "ok" }]);
    const writer = await theirs.write.acquire();
    expect(await lock.info()).toMatchObject({ mode: "write", readers: 0, fence: writer.fence });
    const busy = await lock.read.tryAcquire();
    expect(busy).toMatchObject({ status: "busy" });
    expect((busy as { ttlMs: number }).ttlMs).toBeGreaterThan(5_000);
    expect(await lock.write.tryAcquire()).toMatchObject({ status: "busy" });
    expect(await writer.release()).toEqual({ status: "ok" });
    const reader = await lock.read.acquire();
    expect(reader.fence).toBe(writer.fence);
    await reader.release();
    const next = await lock.write.acquire();
    expect(next.fence).toBeGreaterThan(writer.fence);
    await next.release();
    expect(await lock.info()).toMatchObject({ mode: "free", ttlMs: 0, waiting: { readers: 0, writers: 0 } });
  });

  it("readers xor writer, whoever comes, and everybody comes in", { timeout: 120_000 }, async () => {
    const name = randomName();
    let readers = 0;
    let writers = 0;
    const seen = { together: 0, wrong: 0 };
    const fences: number[] = [];
    const work = async (of: Holdfast, nth: number): Promise<void> => {
      const lock = of.rwlock(name, { ttl: "60s" });
      for (let round = 0; round < 5; round += 1) {
        if (nth % 3 === 0) {
          await lock.write.run(async (held) => {
            writers += 1;
            fences.push(held.fence);
            if (readers > 0 || writers > 1) seen.wrong += 1;
            await of.ping();
            writers -= 1;
          });
        } else {
          await lock.read.run(async () => {
            readers += 1;
            if (writers > 0) seen.wrong += 1;
            seen.together = Math.max(seen.together, readers);
            await of.ping();
            readers -= 1;
          });
        }
      }
    };
    await Promise.all([hf, other].flatMap((of) => Array.from({ length: 9 }, (_, nth) => work(of, nth))));
    expect(seen.wrong).toBe(0);
    expect(seen.together).toBeGreaterThan(1);
    expect(fences).toHaveLength(30);
    expect(fences).toEqual([...fences].sort((a, b) => a - b));
  });

  it("a waiting writer keeps new readers out, and comes in when those inside have left", async () => {
    const name = randomName();
    const lock = hf.rwlock(name, { ttl: "1h" });
    const [first, second] = [await lock.read.acquire(), await lock.read.acquire()];
    const writing = other.rwlock(name, { ttl: "1h" }).write.acquire();
    await waitingAt(hf, name, { readers: 0, writers: 1 });
    expect(await lock.read.tryAcquire()).toMatchObject({ status: "busy" });
    const late = lock.read.acquire();
    await waitingAt(hf, name, { readers: 1, writers: 1 });
    await first.release();
    await second.release();
    const writer = await writing;
    expect(await lock.info()).toMatchObject({ mode: "write", waiting: { readers: 1, writers: 0 } });
    await writer.release();
    expect((await late).fence).toBe(writer.fence);
    await (await late).release();
  });

  it("when a writer leaves, all readers that wait come in before the next writer", async () => {
    const name = randomName();
    const lock = hf.rwlock(name, { ttl: "1h" });
    const writer = await lock.write.acquire();
    const next = other.rwlock(name).write.acquire();
    await waitingAt(hf, name, { readers: 0, writers: 1 });
    const reads = [lock.read.acquire(), other.rwlock(name).read.acquire(), lock.read.acquire()];
    await waitingAt(hf, name, { readers: 3, writers: 1 });
    await writer.release();
    const readers = await Promise.all(reads);
    expect(await lock.info()).toMatchObject({ mode: "read", readers: 3, waiting: { writers: 1 } });
    await Promise.all(readers.map((each) => each.release()));
    await (await next).release();
  });

  it("each reader has a ttl of its own: a dead one does not live on because others renew", async () => {
    const name = randomName();
    const dead = await hf.rwlock(name, { ttl: 300, renew: false }).read.acquire();
    const alive = await other.rwlock(name, { ttl: "20s" }).read.acquire();
    const writing = hf.rwlock(name).write.acquire();
    await waitingAt(hf, name, { readers: 0, writers: 1 });
    await until("the dead reader to be gone", async () => (await hf.rwlock(name).info()).readers === 1);
    expect(dead.held).toBe(false);
    await alive.release();
    await (await writing).release();
    expect(await dead.release()).toEqual({ status: "expired" });
  });

  it("a writer that died blocks for its ttl at most", async () => {
    const name = randomName();
    const dead = await hf.rwlock(name, { ttl: 300, renew: false }).write.acquire();
    const reader = await other.rwlock(name).read.acquire();
    expect(dead.signal.reason).toMatchObject({ code: "LEASE_LOST", reason: "expired" });
    expect(reader.fence).toBe(dead.fence);
    await reader.release();
  });

  it("a dead waiter costs the next one a second", async () => {
    const name = randomName();
    const lock = hf.rwlock(name, { ttl: "1h" });
    const writer = await lock.write.acquire();
    const holds = `${handles.prefix}:rwlock:{${name}}`;
    const part = (of: string): string => `${holds}:${of}`;
    const keys = {
      holds,
      state: part("state"),
      readers: part("readers"),
      writers: part("writers"),
      alive: part("alive"),
    };
    const args = { token: crypto.randomUUID(), mode: "w", ttlMs: 60_000, queued: true, since: 0, wakeChannel: "none" };
    expect(await runScript(hf.driver, acquire, keys, args, { op: "test" })).toMatchObject({ status: "busy" });
    const next = other.rwlock(name).write.acquire();
    await waitingAt(hf, name, { readers: 0, writers: 2 });
    await writer.release();
    await (await next).release();
    expect(await lock.info()).toMatchObject({ mode: "free", waiting: { writers: 0 } });
  });

  it("gives up after `wait` and on its signal, and lets in those it kept out", async () => {
    const name = randomName();
    const lock = hf.rwlock(name);
    const reader = await lock.read.acquire();
    await expect(lock.write.acquire({ wait: 0 })).rejects.toMatchObject({ code: "TIMEOUT", op: "rwlock.acquire" });
    await expect(lock.write.acquire({ wait: 50 })).rejects.toBeInstanceOf(TimeoutError);
    const abort = new AbortController();
    const writing = lock.write.acquire({ signal: abort.signal });
    await waitingAt(hf, name, { readers: 0, writers: 1 });
    const late = other.rwlock(name).read.acquire();
    await waitingAt(hf, name, { readers: 1, writers: 1 });
    abort.abort();
    await expect(writing).rejects.toBeInstanceOf(AbortedError);
    await (await late).release();
    await reader.release();
  });

  it("downgrade: the writer reads on, readers that wait come in, and no writer in between", async () => {
    const name = randomName();
    const lock = hf.rwlock(name, { ttl: "1h" });
    const writer = await lock.write.acquire();
    const next = other.rwlock(name).write.acquire();
    await waitingAt(hf, name, { readers: 0, writers: 1 });
    const waiting = other.rwlock(name).read.acquire();
    await waitingAt(hf, name, { readers: 1, writers: 1 });
    const reading = await writer.downgrade();
    const reader = await waiting;
    expect(reading.fence).toBe(writer.fence);
    expect(reader.fence).toBe(writer.fence);
    expect(await lock.info()).toMatchObject({ mode: "read", readers: 2, waiting: { writers: 1 } });
    expect(await reading.extend()).toEqual({ status: "ok" });
    await Promise.all([reading.release(), reader.release()]);
    expect(await writer.release()).toEqual({ status: "ok" });
    await (await next).release();
    await expect(writer.downgrade()).rejects.toBeInstanceOf(LeaseLostError);
  });

  it("one upgradable at a time, beside readers", async () => {
    const name = randomName();
    const lock = hf.rwlock(name, { ttl: "1h" });
    const [upgradable, reader] = [await lock.upgradable.acquire(), await other.rwlock(name).read.acquire()];
    expect(await lock.info()).toMatchObject({ mode: "read", readers: 2, upgradable: true });
    expect(await lock.upgradable.tryAcquire()).toMatchObject({ status: "busy" });
    const second = other.rwlock(name).upgradable.acquire();
    await waitingAt(hf, name, { readers: 1, writers: 0 });
    await reader.release();
    await upgradable.release();
    await (await second).release();
  });

  it("upgrade: waits until the readers have left, lets nobody else in, and writes", async () => {
    const name = randomName();
    const lock = hf.rwlock(name, { ttl: "1h" });
    const reader = await other.rwlock(name).read.acquire();
    const upgradable = await lock.upgradable.acquire();
    const upgrading = upgradable.upgrade();
    await until("the door to be closed", async () => {
      const tried = await lock.read.tryAcquire();
      if (tried.status === "ok") await tried.lock.release();
      return tried.status === "busy";
    });
    await reader.release();
    const writer = await upgrading;
    expect(writer.fence).toBeGreaterThan(upgradable.fence);
    expect(await lock.info()).toMatchObject({ mode: "write" });
    const reading = await writer.downgrade();
    const again = await other.rwlock(name).upgradable.acquire();
    await reading.release();
    const alone = await again.upgrade({ wait: 0 });
    expect(alone.fence).toBeGreaterThan(writer.fence);
    expect(await again.release()).toEqual({ status: "ok" });
    expect(alone.held).toBe(false);
    expect(await lock.info()).toMatchObject({ mode: "free" });
  });

  it("an upgrade that is given up leaves the hold as it was, and the door open", async () => {
    const name = randomName();
    const lock = hf.rwlock(name);
    const reader = await lock.read.acquire();
    const upgradable = await other.rwlock(name).upgradable.acquire();
    await expect(upgradable.upgrade({ wait: 300 })).rejects.toThrow("readers were still in after 300 ms");
    expect(upgradable.held).toBe(true);
    const late = await lock.read.acquire();
    expect(await lock.info()).toMatchObject({ readers: 3, upgradable: true });
    await Promise.all([late.release(), reader.release(), upgradable.release()]);
    await expect(upgradable.upgrade()).rejects.toBeInstanceOf(LeaseLostError);
  });

  it("released twice gives back once, and nothing of another's", async () => {
    const name = randomName();
    const lock = hf.rwlock(name);
    const first = await lock.write.acquire();
    expect(await Promise.all([first.release(), first.release()])).toEqual([{ status: "ok" }, { status: "ok" }]);
    const second = await other.rwlock(name).write.acquire();
    expect(await first.release()).toEqual({ status: "ok" });
    expect(await second.release()).toEqual({ status: "ok" });
  });

  it("every key expires", async () => {
    const name = randomName();
    const lock = hf.rwlock(name);
    const writer = await lock.write.acquire();
    const waits = [lock.read.acquire(), lock.write.acquire()];
    await waitingAt(hf, name, { readers: 1, writers: 1 });
    const keys = await handles.keys(`rwlock:{${name}`);
    expect(keys).toHaveLength(5);
    for (const key of keys) expect(await handles.send("PTTL", key)).toBeGreaterThan(0);
    await writer.release();
    for (const wait of waits) await (await wait).release();
  });

  it("runs a body, and refuses to wait for itself in it, whichever way", async () => {
    const lock = hf.rwlock(randomName());
    expect(await lock.read.run((held) => held.name)).toBe(lock.name);
    await expect(lock.write.run(() => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
    for (const nested of [lock.read.run(() => lock.write.acquire()), lock.read.run(() => lock.read.acquire())])
      await expect(nested).rejects.toMatchObject({ code: "CONFLICT", op: "rwlock.acquire" });
    expect(await lock.upgradable.run((held) => held.upgrade().then(({ fence }) => fence))).toBeGreaterThan(0);
    await expect(lock.read.run(5 as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(await lock.info()).toMatchObject({ mode: "free" });
  });

  it("a closed handle gives back what it holds", async () => {
    const name = randomName();
    const closing = await handles.another();
    const held = await closing.rwlock(name, { ttl: "1h" }).write.acquire();
    const wait = closing.rwlock(name).read.acquire();
    await waitingAt(hf, name, { readers: 1, writers: 0 });
    await Promise.all([closing.close(), expect(wait).rejects.toBeInstanceOf(ClosedError)]);
    expect(held.signal.reason).toMatchObject({ reason: "closed" });
    await (await hf.rwlock(name).write.acquire()).release();
  });

  it("refuses what it does not understand at the door", async () => {
    for (const options of [{ ttl: 99 }, { owner: "me" }, { renew: 1 }, 5])
      expect(() => hf.rwlock("x", options as never)).toThrow(/^rwlock "x": /);
    await expect(hf.rwlock("x").read.acquire({ waits: 1 } as never)).rejects.toThrow(/^rwlock "x": waits: /);
  });
});
