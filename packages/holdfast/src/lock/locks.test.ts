/**
 * What could go wrong, and the test that watches it:
 * - two holders at one time, or a fence that does not rise ......... "never two holders"
 * - a holder takes back, extends or renews what is another's ....... "stolen", "deleted behind its back"
 * - a nested release frees what the outer still holds .............. "shares the lock of one owner"
 * - a delayed copy of an acquire makes a ghost ..................... "a late copy of a request takes nothing"
 * - a key stays for ever ........................................... "every key expires"
 * - the fence goes back when its key is gone ....................... "rises though its key is gone"
 * (waiting.test.ts: the queue; faults.test.ts: lost answers, stopped holders, dead servers; model.test.ts: histories against a model)
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import { ClosedError, InvalidArgumentError, LeaseLostError, TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { runScript } from "../core/script/run.ts";
import { acquire } from "./scripts.gen.ts";
import type { Lock } from "./lock.ts";
import type { TryLockOptions } from "./options.ts";

function fresh(): string {
  return `lock-${randomUUID()}`;
}

async function taken(of: Holdfast, name: string, how?: TryLockOptions): Promise<Lock> {
  const result = await of.tryLock(name, how);
  if (result.status === "busy") throw new Error(`${name} is busy`);
  return result.lock;
}

async function releasing(lock: Lock): Promise<string> {
  await lock.release();
  return "done";
}

/** A body that ends when it is told to. */
function untilAborted(lock: Lock): Promise<string> {
  return new Promise((resolve) => {
    lock.signal.addEventListener("abort", () => resolve((lock.signal.reason as LeaseLostError).reason));
  });
}

describe.each(backends())("locks [$name]", ({ url, options }) => {
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

  describe("one holder", () => {
    it("is acquired, busy for others, released, and free again", async () => {
      const name = fresh();
      const lock = await hf.lock(name, { ttl: "20s" });
      expect(lock).toMatchObject({ name, held: true });
      const busy = await other.tryLock(name);
      expect(busy).toMatchObject({ status: "busy" });
      expect((busy as { ttlMs: number }).ttlMs).toBeGreaterThan(10_000);
      await expect(lock.release()).resolves.toBe("released");
      expect(lock.held).toBe(false);
      expect(lock.signal.aborted).toBe(false);
      const next = await taken(other, name);
      expect(next.fence).toBeGreaterThan(lock.fence);
      await next.release();
    });

    it("never two holders, and fences that only rise", async () => {
      const name = fresh();
      const counter = hf.key("count", name);
      const fences: number[] = [];
      // What a lock is for: a read and a write which are not one command.
      const work = async (of: Holdfast): Promise<void> => {
        for (let round = 0; round < 50; round += 1) {
          await of.withLock(name, { ttl: "60s", wait: "60s" }, async (lock) => {
            fences.push(lock.fence);
            const value = Number(await of.driver.send(["GET", counter], { op: "test", class: "read" }, counter));
            await of.driver.send(
              ["SET", counter, String(value + 1), "PX", "60000"],
              { op: "test", class: "idempotent" },
              counter,
            );
          });
        }
      };
      await Promise.all([hf, other].flatMap((of) => Array.from({ length: 20 }, () => work(of))));
      expect(fences).toHaveLength(2_000);
      expect(String(await send("GET", counter))).toBe("2000");
      expect(fences).toEqual([...fences].sort((a, b) => a - b));
      expect(new Set(fences).size).toBe(2_000);
    });

    it("holds many locks at a time, over all slots", async () => {
      const names = Array.from({ length: 100 }, fresh);
      const locks = await Promise.all(names.map((name) => hf.lock(name)));
      const busy = await Promise.all(names.map((name) => other.tryLock(name)));
      expect(busy.every(({ status }) => status === "busy")).toBe(true);
      const ends = await Promise.all(locks.map((lock) => lock.release()));
      expect(new Set(ends)).toEqual(new Set(["released"]));
    });

    it("keeps names with special characters apart", async () => {
      const names = ["a{b}", "a%7Bb%7D", "a:b", "a{", "}", "ä \n"].map((name) => `${name}${randomUUID()}`);
      const locks = await Promise.all(names.map((name) => taken(hf, name)));
      const ends = await Promise.all(locks.map((lock) => lock.release()));
      expect(ends).toEqual(names.map(() => "released"));
    });

    it("rises though its key is gone", async () => {
      const name = fresh();
      const first = await taken(hf, name);
      await first.release();
      await send("DEL", `${base(name)}:fence`);
      const second = await taken(hf, name);
      expect(second.fence).toBeGreaterThan(first.fence);
      await second.release();
    });

    it("rises though the server's clock is behind the last fence", async () => {
      const name = fresh();
      const ahead = Date.now() * 1_000 + 3_600_000_000;
      await send("SET", `${base(name)}:fence`, String(ahead), "PX", "60000");
      const lock = await taken(hf, name);
      expect(lock.fence).toBe(ahead + 1);
      await lock.release();
    });
  });

  describe("owners", () => {
    it("shares the lock of one owner, with one fence, until the last hold is released", async () => {
      const name = fresh();
      const outer = await taken(hf, name, { owner: "job-7" });
      const inner = await taken(other, name, { owner: "job-7" });
      expect(inner.fence).toBe(outer.fence);
      expect(await hf.tryLock(name, { owner: "job-8" })).toMatchObject({ status: "busy" });
      expect(await inner.release()).toBe("released");
      expect(await hf.lockInfo(name)).toMatchObject({ owner: "job-7", fence: outer.fence });
      expect(outer.held).toBe(true);
      expect(await outer.release()).toBe("released");
      expect(await hf.lockInfo(name)).toBeUndefined();
    });

    it("is free when all that is left are holds of processes that died", async () => {
      const name = fresh();
      await taken(hf, name, { owner: "job", ttl: 200, renew: false });
      const alive = await taken(other, name, { owner: "job", ttl: "1h" });
      const wait = other.lock(name, { ttl: "1h" });
      await waiting(name, 1);
      await alive.release();
      expect(await (await wait).release()).toBe("released");
    });

    it("limits the holds of one owner", async () => {
      const name = fresh();
      const holds = await Promise.all(Array.from({ length: 100 }, () => taken(hf, name, { owner: "loop" })));
      await expect(hf.tryLock(name, { owner: "loop" })).rejects.toMatchObject({ code: "OVERLOADED" });
      await Promise.all(holds.map((hold) => hold.release()));
      expect(await hf.lockInfo(name)).toBeUndefined();
    });
  });

  describe("the end", () => {
    it("tells expired from stolen", async () => {
      const name = fresh();
      const quick = { ttl: 100, renew: false } as const;
      const first = await taken(hf, name, quick);
      await until("the ttl to be over", async () => (await hf.lockInfo(name)) === undefined);
      expect(await first.release()).toBe("expired");
      const second = await taken(hf, name, quick);
      const thief = await other.lock(name);
      expect(await second.release()).toBe("stolen");
      expect(await second.extend()).not.toBe("extended");
      expect(await thief.release()).toBe("released");
    });

    it("tells a holder whose lock was deleted behind its back", async () => {
      const name = fresh();
      const lock = await taken(hf, name, { ttl: 600 });
      const lost = new Promise((resolve) => lock.signal.addEventListener("abort", resolve));
      await send("DEL", base(name));
      await lost;
      expect(lock.signal.reason).toBeInstanceOf(LeaseLostError);
      expect(lock.signal.reason).toMatchObject({ reason: "expired" });
      expect(await hf.lockInfo(name)).toBeUndefined();
      expect(await lock.release()).toBe("expired");
    });

    it("is renewed for longer than its ttl", async () => {
      const name = fresh();
      const lock = await taken(hf, name, { ttl: 300 });
      await expect(other.lock(name, { wait: 1_000 })).rejects.toBeInstanceOf(TimeoutError);
      expect(lock.held).toBe(true);
      expect(await lock.release()).toBe("released");
    });

    it("is extended by hand, and never made shorter", async () => {
      const name = fresh();
      const lock = await taken(hf, name, { ttl: "10s", renew: false });
      expect(await lock.extend("1h")).toBe("extended");
      expect(await lock.extend("1s")).toBe("extended");
      expect((await hf.lockInfo(name))!.ttlMs).toBeGreaterThan(3_500_000);
      expect(lock.remainingMs).toBeGreaterThan(3_500_000);
      await lock.release();
      await expect(lock.extend("0s")).rejects.toBeInstanceOf(InvalidArgumentError);
    });

    it("a late copy of a request takes nothing", async () => {
      const name = fresh();
      const lock = await taken(hf, name);
      await lock.release();
      const args = { owner: lock.owner, token: lock.owner, ttlMs: 60_000, queued: false, since: 0 };
      await expect(runScript(hf.driver, acquire, keysOf(name), args, { op: "test" })).resolves.toMatchObject({
        status: "busy",
      });
      expect(await hf.lockInfo(name)).toBeUndefined();
    });

    it("every key expires", async () => {
      const name = fresh();
      const lock = await taken(hf, name, { ttl: "20s" });
      await (await taken(hf, name, { ttl: "10s", owner: lock.owner })).release();
      const abort = new AbortController();
      const wait = other.lock(name, { signal: abort.signal }).catch(() => "gone");
      await waiting(name, 1);
      const keys: string[] = [];
      for await (const page of hf.scan("lock:")) keys.push(...page.filter((key) => key.startsWith(base(name))));
      expect(keys.map((key) => key.slice(base(name).length)).sort()).toEqual([
        "",
        ":alive",
        ":ended",
        ":fence",
        ":queue",
      ]);
      const ttls = await Promise.all(keys.map((key) => send("PTTL", key)));
      expect(ttls.filter((ttl) => Number(ttl) <= 0)).toEqual([]);
      abort.abort();
      await wait;
      await lock.release();
    });
  });

  describe("withLock", () => {
    it("gives what the body gives and releases", async () => {
      const name = fresh();
      expect(await hf.withLock(name, {}, (lock) => Promise.resolve(`${lock.name}!`))).toBe(`${name}!`);
      expect(await hf.lockInfo(name)).toBeUndefined();
    });

    it("passes the body's error on and releases", async () => {
      const name = fresh();
      const failure = new Error("mine");
      await expect(hf.withLock(name, {}, () => Promise.reject(failure))).rejects.toBe(failure);
      expect(await hf.lockInfo(name)).toBeUndefined();
    });

    it("rejects when the body has ended but the lock was lost", async () => {
      const name = fresh();
      const body = async (): Promise<void> => void (await send("DEL", base(name)));
      await expect(hf.withLock(name, {}, body)).rejects.toMatchObject({ code: "LEASE_LOST", reason: "expired" });
    });

    it("lets the body release", async () => {
      const name = fresh();
      expect(await hf.withLock(name, {}, releasing)).toBe("done");
    });

    it("tells the body when maxHold is over, and still gives its value", async () => {
      expect(await hf.withLock(fresh(), { maxHold: 50 }, untilAborted)).toBe("maxHold");
    });
  });

  describe("close", () => {
    it("tells and releases the holders, and ends the waiting", async () => {
      const name = fresh();
      const elsewhere = fresh();
      const theirs = await taken(hf, elsewhere);
      const closing = await open();
      const lock = await closing.lock(name, { ttl: "1h" });
      const wait = closing.lock(elsewhere, { ttl: "1h" }).catch((error: unknown) => error);
      await waiting(elsewhere, 1);
      await closing.close();
      expect(lock.signal.reason).toMatchObject({ reason: "closed" });
      expect(await wait).toBeInstanceOf(ClosedError);
      expect(await hf.lockInfo(name)).toBeUndefined();
      await expect(closing.lock(name)).rejects.toBeInstanceOf(ClosedError);
      await theirs.release();
    });
  });

  it.each([
    ["ttl", { ttl: 99 }],
    ["ttl", { ttl: "soon" }],
    ["wait", { wait: -1 }],
    ["maxHold", { maxHold: 0 }],
    ["renew", { renew: 1 }],
    ["owner", { owner: "" }],
    ["timeout", { timeout: Number.NaN }],
  ])("refuses a bad %s", async (field, bad) => {
    await expect(hf.lock(fresh(), bad as object)).rejects.toMatchObject({ name: "InvalidArgumentError", field });
  });

  it("refuses a bad name", async () => {
    await expect(hf.lockInfo("")).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(hf.lock("")).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(hf.tryLock("x".repeat(2_000))).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(hf.withLock(fresh(), {}, undefined as never)).rejects.toBeInstanceOf(InvalidArgumentError);
  });
});
