/**
 * What could go wrong, and the test for each:
 * - two holders at one time, or a fence that does not rise ......... "never two holders"
 * - a holder takes back, extends or renews what is another's ....... "stolen", "deleted behind its back"
 * - a delayed copy of an acquire makes a ghost ..................... "a late copy of a request takes nothing"
 * - a key stays for ever ........................................... "every key expires"
 * - the fence goes back when its key is gone ....................... "rises though its key is gone"
 * - an option that is not understood is ignored .................... "at the door"
 * - `await hf.lock(name)` by mistake hangs, or looks like a hold .... "awaited by mistake it is still only a lock"
 * (waiting.test.ts: the queue; owners.test.ts: shared locks; run.test.ts: the body; faults.test.ts: lost answers, stopped holders, dead servers; model.test.ts: histories against a model)
 */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import { until } from "../../test/support/until.ts";
import { ClosedError, InvalidArgumentError, LeaseLostError, TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { runScript } from "../core/script/run.ts";
import { acquire } from "./scripts.gen.ts";

describe.each(backends())("locks [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  const send = (...args: string[]): Promise<unknown> => fixture.send(...args);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ hf, other } = fixture);
  });

  describe("one holder", () => {
    it("is acquired, busy for others, released, and free again", async () => {
      const name = freshName();
      const lock = await hf.lock(name, { ttl: "20s" }).acquire();
      expect(lock).toMatchObject({ name, held: true });
      const busy = await other.lock(name).tryAcquire();
      expect(busy).toMatchObject({ status: "busy" });
      expect((busy as { ttlMs: number }).ttlMs).toBeGreaterThan(10_000);
      await expect(lock.release()).resolves.toEqual({ status: "ok" });
      expect(lock.held).toBe(false);
      expect(lock.signal.aborted).toBe(false);
      const next = await taken(other, name);
      expect(next.fence).toBeGreaterThan(lock.fence);
      await next.release();
    });

    it("never two holders, and fences that only rise", { timeout: 120_000 }, async () => {
      const name = freshName();
      const counter = hf.key("count", name);
      const fences: number[] = [];
      // What a lock is for: a read and a write which are not one command.
      const work = async (of: Holdfast): Promise<void> => {
        const lock = of.lock(name, { ttl: "60s" });
        for (let round = 0; round < 25; round += 1) {
          await lock.run(
            async (held) => {
              fences.push(held.fence);
              const value = Number(await of.driver.send(["GET", counter], { op: "test", class: "read" }, counter));
              await of.driver.send(
                ["SET", counter, String(value + 1), "PX", "60000"],
                { op: "test", class: "idempotent" },
                counter,
              );
            },
            { wait: "60s" },
          );
        }
      };
      await Promise.all([hf, other].flatMap((of) => Array.from({ length: 20 }, () => work(of))));
      expect(fences).toHaveLength(1_000);
      expect(String(await send("GET", counter))).toBe("1000");
      expect(fences).toEqual([...fences].sort((a, b) => a - b));
      expect(new Set(fences).size).toBe(1_000);
    });

    it("holds many locks at a time, over all slots", async () => {
      const names = Array.from({ length: 100 }, freshName);
      const locks = await Promise.all(names.map((name) => hf.lock(name).acquire()));
      const busy = await Promise.all(names.map((name) => other.lock(name).tryAcquire()));
      expect(busy.every(({ status }) => status === "busy")).toBe(true);
      const ends = await Promise.all(locks.map((lock) => lock.release()));
      expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(["ok"]));
    });

    it("keeps names with special characters apart", async () => {
      const names = ["a{b}", "a%7Bb%7D", "a:b", "a{", "}", "ä \n"].map((name) => `${name}${randomUUID()}`);
      const locks = await Promise.all(names.map((name) => taken(hf, name)));
      const ends = await Promise.all(locks.map((lock) => lock.release()));
      expect(ends).toEqual(names.map(() => ({ status: "ok" })));
    });

    it("rises though its key is gone", async () => {
      const name = freshName();
      const first = await taken(hf, name);
      await first.release();
      await send("DEL", fixture.keysOf(name).fence);
      const second = await taken(hf, name);
      expect(second.fence).toBeGreaterThan(first.fence);
      await second.release();
    });

    it("rises though the server's clock is behind the last fence", async () => {
      const name = freshName();
      const ahead = Date.now() * 1_000 + 3_600_000_000;
      await send("SET", fixture.keysOf(name).fence, String(ahead), "PX", "60000");
      const lock = await taken(hf, name);
      expect(lock.fence).toBe(ahead + 1);
      await lock.release();
    });
  });

  describe("the end", () => {
    it("knows expired from stolen", async () => {
      const name = freshName();
      const quick = { ttl: 100, renew: false } as const;
      const first = await taken(hf, name, quick);
      await until("the ttl to be over", async () => (await hf.lock(name).info()) === undefined);
      expect(await first.release()).toEqual({ status: "expired" });
      const second = await taken(hf, name, quick);
      const thief = await other.lock(name).acquire();
      expect(await second.release()).toEqual({ status: "stolen" });
      expect(await second.extend()).not.toEqual({ status: "ok" });
      expect(await thief.release()).toEqual({ status: "ok" });
    });

    it("informs a holder whose lock was deleted behind its back", async () => {
      const name = freshName();
      const lock = await taken(hf, name, { ttl: 600 });
      const lost = new Promise((resolve) => lock.signal.addEventListener("abort", resolve));
      await send("DEL", fixture.keysOf(name).lock);
      await lost;
      expect(lock.signal.reason).toBeInstanceOf(LeaseLostError);
      expect(lock.signal.reason).toMatchObject({ reason: "expired" });
      expect(await hf.lock(name).info()).toBeUndefined();
      expect(await lock.release()).toEqual({ status: "expired" });
    });

    it("is renewed for longer than its ttl", async () => {
      const name = freshName();
      const ttl = 3_000;
      const lock = await taken(hf, name, { ttl });
      const [began] = (await send("TIME")) as [string];
      await until("more than its ttl has passed", async () => {
        const [now] = (await send("TIME")) as [string];
        return Number(now) - Number(began) > ttl / 1_000;
      });
      await expect(other.lock(name).acquire({ wait: 0 })).rejects.toBeInstanceOf(TimeoutError);
      expect(lock.held).toBe(true);
      expect(await lock.release()).toEqual({ status: "ok" });
    });

    it("is extended by hand, and never made shorter", async () => {
      const name = freshName();
      const lock = await taken(hf, name, { ttl: "10s", renew: false });
      expect(await lock.extend("1h")).toEqual({ status: "ok" });
      expect(await lock.extend("1s")).toEqual({ status: "ok" });
      expect((await hf.lock(name).info())!.ttlMs).toBeGreaterThan(3_500_000);
      expect(lock.remainingMs).toBeGreaterThan(3_500_000);
      await lock.release();
      await expect(lock.extend("0s")).rejects.toBeInstanceOf(InvalidArgumentError);
    });

    it("a late copy of a request takes nothing", async () => {
      const name = freshName();
      const lock = await taken(hf, name);
      await lock.release();
      // As where late copies are possible, whose releases leave a mark.
      await send("LPUSH", fixture.keysOf(name).ended, lock.owner);
      const request = { owner: "", token: lock.owner, ttlMs: 60_000, queued: false, since: 0 };
      const args = { ...request, lateCopies: true, wakeChannel: `${fixture.prefix}:wake:all` };
      await expect(runScript(hf.driver, acquire, fixture.keysOf(name), args, { op: "test" })).resolves.toMatchObject({
        status: "busy",
      });
      expect(await hf.lock(name).info()).toBeUndefined();
    });

    it("every key expires", async () => {
      const name = freshName();
      const lock = await taken(hf, name, { ttl: "20s", owner: "job" });
      await (await taken(hf, name, { ttl: "10s", owner: "job" })).release();
      const abort = new AbortController();
      const wait = other
        .lock(name)
        .acquire({ signal: abort.signal })
        .catch(() => "gone");
      await waitersOf(hf, name, 1);
      const keys: string[] = [];
      for await (const page of hf.scan("lock:"))
        keys.push(...page.filter((key) => key.startsWith(fixture.keysOf(name).lock)));
      expect(keys.map((key) => key.slice(fixture.keysOf(name).lock.length)).sort()).toEqual([
        "",
        ":alive",
        ":ended",
        ":fence",
        ":holds",
        ":queue",
      ]);
      const ttls = await Promise.all(keys.map((key) => send("PTTL", key)));
      expect(ttls.filter((ttl) => Number(ttl) <= 0)).toEqual([]);
      abort.abort();
      await wait;
      await lock.release();
    });
  });

  describe("close", () => {
    it("aborts and releases the holders, and ends the waiting", async () => {
      const name = freshName();
      const elsewhere = freshName();
      const theirs = await taken(hf, elsewhere);
      const closing = await fixture.open();
      const lock = await closing.lock(name, { ttl: "1h" }).acquire();
      const wait = closing
        .lock(elsewhere, { ttl: "1h" })
        .acquire()
        .catch((error: unknown) => error);
      await waitersOf(hf, elsewhere, 1);
      await closing.close();
      expect(lock.signal.reason).toMatchObject({ reason: "closed" });
      expect(await wait).toBeInstanceOf(ClosedError);
      expect(await hf.lock(name).info()).toBeUndefined();
      await expect(closing.lock(name).acquire()).rejects.toBeInstanceOf(ClosedError);
      await theirs.release();
    });
  });

  describe("at the door", () => {
    it.each([
      ["ttl", { ttl: 99 }],
      ["ttl", { ttl: "soon" }],
      ["maxHold", { maxHold: 0 }],
      ["renew", { renew: 1 }],
      ["owner", { owner: "" }],
      ["timeout", { timeout: Number.NaN }],
      ["tll", { tll: "10s" }],
      ["wait", { wait: "1s" }],
      ["options", 500],
    ])("refuses a bad %s", (field, bad) => {
      const refusal = expect.objectContaining({ name: "InvalidArgumentError", field });
      expect(() => hf.lock("a", bad as object)).toThrow(refusal);
      expect(() => hf.lock("a", bad as object)).toThrow(/^lock "a": /);
    });

    it.each([
      ["wait", { wait: -1 }],
      ["signal", { signal: "now" }],
      ["signal", { signal: null }],
      ["timout", { timout: 1 }],
      ["options", 500],
    ])("refuses a bad %s of an acquire", async (field, bad) => {
      const refused = hf.lock("a").acquire(bad as object);
      await expect(refused).rejects.toMatchObject({ name: "InvalidArgumentError", field });
      await expect(refused).rejects.toThrow(/^lock "a": /);
    });

    it("takes undefined for not given", async () => {
      const name = freshName();
      const undefinedOptions = { ttl: undefined, renew: undefined, maxHold: undefined, owner: undefined };
      const held = await hf.lock(name, undefinedOptions as object).acquire({ wait: undefined } as object);
      expect(held.remainingMs).toBeGreaterThan(5_000);
      await held.release();
    });

    it("refuses a bad name", () => {
      expect(() => hf.lock("")).toThrow(InvalidArgumentError);
      expect(() => hf.lock("x".repeat(2_000))).toThrow(InvalidArgumentError);
    });

    it("asks nothing of the server, and awaited by mistake it is still only a lock", async () => {
      const name = freshName();
      const lock = hf.lock(name);
      expect(await (lock as unknown)).toBe(lock);
      expect("then" in lock).toBe(false);
      expect(Symbol.asyncDispose in lock).toBe(false);
      expect(await lock.info()).toBeUndefined();
    });
  });
});
