/**
 * What could go wrong, and the test for each:
 * - a lost wake-up, or waiting out the ttl after a release ............ "wakes waiters in order of arrival"
 * - whoever takes the lock again and again shuts out the others ....... "does not shut out the queue"
 * - a process that died in the queue holds up the others .............. "wakes past those who died waiting"
 * - a waiter that gave up stays in the queue .......................... "leaves nothing behind"
 * - so does one whose handle was closed, or the lock stays held ........ "while the first request is on its way"
 * - a request that is sent again goes to the end of the queue .......... "keeps its place when"
 * - or takes a wake-up with it ........................................ "passes the wake-up on"
 * - a holder that died blocks the others .............................. "takes over"
 * - the same code locks twice and waits for itself without a word ...... "says so when a process waits for itself"
 * - a long wait overflows a timer ..................................... "waits for weeks"
 * - one signal for many waits: Node warns of leaking listeners ......... "one signal ends any number of waits"
 */
import { randomUUID } from "node:crypto";
import { getEventListeners } from "node:events";
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import { AbortedError, TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { runScript } from "../core/script/run.ts";
import { acquire, release } from "./scripts.gen.ts";

describe.each(backends())("waiting for locks [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  const send = (...args: string[]): Promise<unknown> => fixture.send(...args);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ hf, other } = fixture);
  });

  it("keeps its place when its first request is sent again", async () => {
    const name = freshName();
    const holder = await taken(hf, name, { ttl: "1h" });
    const join = (token: string): Promise<unknown> => {
      const args = { owner: "", token, ttlMs: 1_000, queued: true, since: 0, lateCopies: false, wakeChannel: "none" };
      return runScript(hf.driver, acquire, fixture.keysOf(name), args, { op: "test", key: name });
    };
    const [first, second] = [randomUUID(), randomUUID()];
    const { since } = (await join(first)) as { since: number };
    await join(second);
    expect(await join(first)).toMatchObject({ status: "busy", since });
    expect(await send("ZRANGE", fixture.keysOf(name).queue, "0", "-1")).toEqual(
      [first, second].map((it) => Buffer.from(it)),
    );
    await holder.release();
  });

  it("leaves nothing behind when its handle is closed while the first request is on its way", async () => {
    const closing = await fixture.open();
    const [one, two, three] = [freshName(), freshName(), freshName()];
    const settings = { ttl: "1h" } as const;
    const asked = [
      closing.lock(one, settings).acquire(),
      closing.lock(two, settings).acquire({ signal: new AbortController().signal }),
      closing.lock(three, settings).tryAcquire(),
    ];
    const ends = Promise.allSettled(asked);
    await closing.close();
    for (const { status } of await ends) expect(status).toBe("rejected");
    for (const name of [one, two, three]) await (await hf.lock(name).acquire({ wait: "10s" })).release();
  });

  it("wakes waiters in order of arrival, long before the ttl", async () => {
    const name = freshName();
    const order: number[] = [];
    const first = await taken(hf, name, { ttl: "1h" });
    const waits: Promise<void>[] = [];
    for (let nth = 0; nth < 6; nth += 1) {
      const of = nth % 2 === 0 ? hf : other;
      waits.push(of.lock(name, { ttl: "1h" }).run(() => void order.push(nth)));
      await waitersOf(hf, name, nth + 1);
    }
    await first.release();
    await Promise.all(waits);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await hf.lock(name).info()).toBeUndefined();
  });

  it("whoever takes it again and again does not shut out the queue", async () => {
    const name = freshName();
    let turns = 0;
    const over = new AbortController();
    const loop = async (): Promise<void> => {
      while (!over.signal.aborted) await hf.lock(name, { ttl: "1h" }).run(() => void (turns += 1));
    };
    const looping = [loop(), loop(), loop()];
    const passedBy: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const before = turns;
      await other.lock(name, { ttl: "1h" }).run(() => void passedBy.push(turns - before));
    }
    over.abort();
    await Promise.all(looping);
    // Those who were there before it, and who came while it asked for the first time.
    expect(Math.max(...passedBy)).toBeLessThanOrEqual(12);
  });

  it("wakes past those who died waiting", async () => {
    const name = freshName();
    const lock = await taken(hf, name, { ttl: "1h" });
    const next = other.lock(name).acquire();
    await waitersOf(hf, name, 1);
    const dead = Array.from({ length: 50 }, () => randomUUID());
    await send("ZADD", fixture.keysOf(name).queue, ...dead.flatMap((token) => ["1", token]));
    await send("ZADD", fixture.keysOf(name).alive, ...dead.flatMap((token) => ["1", token]));
    await lock.release();
    expect(await (await next).release()).toEqual({ status: "ok" });
  });

  it("takes over when a holder's ttl is over", async () => {
    const name = freshName();
    const lock = await taken(hf, name, { ttl: 300, renew: false });
    const next = await other.lock(name).acquire();
    expect(next.fence).toBeGreaterThan(lock.fence);
    expect(lock.held).toBe(false);
    await next.release();
  });

  it("waits for weeks, for a lock that is held for months", async () => {
    const name = freshName();
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on("warning", note);
    const lock = await taken(hf, name, { ttl: "90d", maxHold: "60d" });
    const wait = other.lock(name).acquire({ wait: "45d" });
    await waitersOf(hf, name, 1);
    expect(await lock.extend("100d")).toEqual({ status: "ok" });
    await lock.release();
    expect(await (await wait).release()).toEqual({ status: "ok" });
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  it("gives up after `wait` and leaves nothing behind", async () => {
    const name = freshName();
    const lock = await taken(hf, name);
    await expect(other.lock(name).acquire({ wait: 50 })).rejects.toBeInstanceOf(TimeoutError);
    await expect(other.lock(name).acquire({ wait: 0 })).rejects.toMatchObject({
      code: "TIMEOUT",
      op: "lock.acquire",
      key: name,
    });
    await waitersOf(hf, name, 0);
    await lock.release();
  });

  it("stops waiting when its signal fires, and leaves nothing behind", async () => {
    const name = freshName();
    const lock = await taken(hf, name);
    const abort = new AbortController();
    const wait = other.lock(name).acquire({ signal: abort.signal });
    await waitersOf(hf, name, 1);
    const reason = new Error("no longer wanted");
    abort.abort(reason);
    const error: unknown = await wait.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AbortedError);
    expect((error as AbortedError).cause).toBe(reason);
    await waitersOf(hf, name, 0);
    await expect(other.lock(name).acquire({ signal: abort.signal })).rejects.toBeInstanceOf(AbortedError);
    await lock.release();
  });

  it("one signal ends any number of waits, and nothing listens to it afterwards", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on("warning", note);
    const abort = new AbortController();
    const names = Array.from({ length: 20 }, freshName);
    const locks = await Promise.all(names.map((name) => taken(hf, name, { ttl: "1h" })));
    const waits = names.map((name) => other.lock(name).acquire({ signal: abort.signal }));
    await Promise.all(names.map((name) => waitersOf(hf, name, 1)));
    abort.abort();
    const ends = await Promise.allSettled(waits);
    expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(20);
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
    await Promise.all(locks.map((held) => held.release()));
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  it("passes the wake-up on when the one it was for does not want it any more", async () => {
    const name = freshName();
    await taken(hf, name, { ttl: "1h", renew: false });
    const patient = other.lock(name, { ttl: "1h" }).acquire();
    await waitersOf(hf, name, 1);
    await send("DEL", fixture.keysOf(name).lock, fixture.keysOf(name).fence);
    // As of a request that was first in the queue, was woken, and is given up at that moment.
    const end = { number: 0, abandon: true, repeated: false, handMs: 0, lateCopies: false };
    const args = { owner: "", token: "gone", ...end, wakeChannel: `${fixture.prefix}:wake:all` };
    await runScript(hf.driver, release, fixture.keysOf(name), args, { op: "test" });
    expect(await (await patient).release()).toEqual({ status: "ok" });
  });

  it("says so when a process waits for itself", async () => {
    const name = freshName();
    await using lock = await hf.lock(name).acquire();
    await expect(hf.lock(name).acquire({ wait: 20 })).rejects.toThrow("this process holds it itself");
    expect(lock.held).toBe(true);
  });
});
