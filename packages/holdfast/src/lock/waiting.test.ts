/**
 * What could go wrong, and the test that watches it:
 * - a lost wake-up, or waiting out the ttl after a release ............ "wakes who waits, in order of arrival"
 * - a process that died in the queue holds up the others .............. "wakes past those who died waiting"
 * - a waiter that gave up stays in the queue .......................... "leaves nothing behind"
 * - or takes a wake-up with it ........................................ "passes the wake-up on"
 * - a holder that died blocks the others .............................. "takes over"
 * - the same code locks twice and waits for itself without a word ...... "says so when a process waits for itself"
 * - a long wait overflows a timer ..................................... "waits for weeks"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import { AbortedError, TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { runScript } from "../core/script/run.ts";
import type { Lock } from "./lock.ts";
import type { TryLockOptions } from "./options.ts";
import { release } from "./scripts.gen.ts";

function fresh(): string {
  return `lock-${randomUUID()}`;
}

async function taken(of: Holdfast, name: string, how?: TryLockOptions): Promise<Lock> {
  const result = await of.tryLock(name, how);
  if (result.status === "busy") throw new Error(`${name} is busy`);
  return result.lock;
}

describe.each(backends())("waiting for locks [$name]", ({ url, options }) => {
  const prefix = `test-${randomUUID()}`;
  const open = (): Promise<Holdfast> => connect(url, { ...options, prefix });
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(async () => {
    [hf, other] = await Promise.all([open(), open()]);
  });

  afterAll(async () => {
    await Promise.all([hf?.close(), other?.close()]);
  });

  const base = (name: string): string => `${prefix}:lock:{${name}}`;

  function keysOf(name: string): Record<"lock" | "fence" | "ended" | "queue" | "alive", string> {
    const lock = base(name);
    return { lock, fence: `${lock}:fence`, ended: `${lock}:ended`, queue: `${lock}:queue`, alive: `${lock}:alive` };
  }

  async function send(...args: string[]): Promise<unknown> {
    return hf.driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  }

  async function waiting(name: string, count: number): Promise<void> {
    await until(`${count} waiters`, async () => (await hf.lockInfo(name))?.waiters === count);
  }

  it("wakes who waits, in order of arrival, long before the ttl", async () => {
    const name = fresh();
    const order: number[] = [];
    const first = await taken(hf, name, { ttl: "1h" });
    const waits: Promise<void>[] = [];
    for (let nth = 0; nth < 6; nth += 1) {
      const of = nth % 2 === 0 ? hf : other;
      waits.push(of.withLock(name, { ttl: "1h" }, () => void order.push(nth)));
      await waiting(name, nth + 1);
    }
    await first.release();
    await Promise.all(waits);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await hf.lockInfo(name)).toBeUndefined();
  });

  it("wakes past those who died waiting", async () => {
    const name = fresh();
    const lock = await taken(hf, name, { ttl: "1h" });
    const next = other.lock(name);
    await waiting(name, 1);
    const dead = Array.from({ length: 50 }, (_, nth) => `dead-${nth}`);
    await send("ZADD", `${base(name)}:queue`, ...dead.flatMap((token) => ["1", token]));
    await send("ZADD", `${base(name)}:alive`, ...dead.flatMap((token) => ["1", token]));
    await lock.release();
    expect(await (await next).release()).toBe("released");
  });

  it("takes over when a holder's ttl is over", async () => {
    const name = fresh();
    const lock = await taken(hf, name, { ttl: 300, renew: false });
    const next = await other.lock(name);
    expect(next.fence).toBeGreaterThan(lock.fence);
    expect(lock.held).toBe(false);
    await next.release();
  });

  it("waits for weeks, for a lock that is held for months", async () => {
    const name = fresh();
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on("warning", note);
    const lock = await taken(hf, name, { ttl: "90d", maxHold: "60d" });
    const wait = other.lock(name, { wait: "45d" });
    await waiting(name, 1);
    expect(await lock.extend("100d")).toBe("extended");
    await lock.release();
    expect(await (await wait).release()).toBe("released");
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  it("gives up after `wait` and leaves nothing behind", async () => {
    const name = fresh();
    const lock = await taken(hf, name);
    await expect(other.lock(name, { wait: 50 })).rejects.toBeInstanceOf(TimeoutError);
    await expect(other.lock(name, { wait: 0 })).rejects.toMatchObject({
      code: "TIMEOUT",
      op: "lock.acquire",
      key: name,
    });
    await waiting(name, 0);
    await lock.release();
  });

  it("stops waiting when its signal fires, and leaves nothing behind", async () => {
    const name = fresh();
    const lock = await taken(hf, name);
    const abort = new AbortController();
    const wait = other.lock(name, { signal: abort.signal });
    await waiting(name, 1);
    const reason = new Error("no longer wanted");
    abort.abort(reason);
    const error: unknown = await wait.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AbortedError);
    expect((error as AbortedError).cause).toBe(reason);
    await waiting(name, 0);
    await expect(other.lock(name, { signal: abort.signal })).rejects.toBeInstanceOf(AbortedError);
    await lock.release();
  });

  it("passes the wake-up on when the one it was for does not want it any more", async () => {
    const name = fresh();
    await taken(hf, name, { ttl: "1h", renew: false });
    const patient = other.lock(name, { ttl: "1h" });
    await waiting(name, 1);
    await send("DEL", base(name));
    // As of a request that was first in the queue, was woken, and is given up at that moment.
    const args = { owner: "gone", token: "gone", abandon: true, wakeChannel: `${prefix}:wake:all` };
    await runScript(hf.driver, release, keysOf(name), args, { op: "test" });
    expect(await (await patient).release()).toBe("released");
  });

  it("says so when a process waits for itself", async () => {
    const name = fresh();
    await using lock = await hf.lock(name);
    await expect(hf.lock(name, { wait: 20 })).rejects.toThrow("this process holds it itself");
    expect(lock.held).toBe(true);
  });
});
