/**
 * A lock has several keys, and a server with an eviction policy may drop any of them; so may a hand that means well.
 * What could go wrong, and the test for each:
 * - `lock` is gone: the next holder comes in while this one still believes ... "never two holders, whichever key is gone"
 * - or nobody comes in any more ............................................. "is granted again", "waits no longer than"
 * - `fence` is gone: a fence does not rise, a renewal fails .................. "without its fence"
 * - `ended` is gone: a repeated release takes what is another's .............. "without the ended tokens"
 * - `holds` is gone: the lock is freed under them by the next of its owner ... "without the holds"
 * - `queue` or `alive` is gone: a waiter hangs .............................. "waits no longer than", "is still woken"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import type { Holdfast } from "../holdfast.ts";
import { createTestServer } from "../testing/index.ts";

const KEYS = ["lock", "fence", "holds", "ended", "queue", "alive"] as const;

describe.each(backends())("a lock of which a key was evicted [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ hf, other } = fixture);
  });

  const evict = (name: string, key: (typeof KEYS)[number]): Promise<unknown> =>
    fixture.send("DEL", fixture.keysOf(name)[key]);

  it("never two holders, whichever key is gone, and the waiter comes in", async () => {
    const inTurn = KEYS.map(async (key) => {
      const name = freshName();
      const held = await taken(hf, name, { ttl: "3s", renew: false });
      const waiting = other.lock(name).acquire();
      await waitersOf(hf, name, 1);
      await evict(name, key);
      const next = await waiting;
      expect({ key, stillHeld: held.held }).toEqual({ key, stillHeld: false });
      expect(next.fence).toBeGreaterThan(held.fence);
      expect(await next.release()).toEqual({ status: "ok" });
    });
    await Promise.all(inTurn);
  });

  it("without the lock itself: is busy until the holder knows, which it does at its next renewal", async () => {
    const name = freshName();
    const held = await taken(hf, name, { ttl: "10s" });
    await evict(name, "lock");
    const busy = await other.lock(name).tryAcquire();
    expect(busy).toMatchObject({ status: "busy" });
    expect((busy as { ttlMs: number }).ttlMs).toBeGreaterThan(5_000);
    expect(await held.extend()).toEqual({ status: "expired" });
    expect(held.held).toBe(false);
  });

  it("without the lock itself: it counts from the last renewal, and from the longest of shared holds", async () => {
    const name = freshName();
    const owner = "job";
    const held = await taken(hf, name, { ttl: "10s", owner });
    await held.extend("20s");
    await taken(other, name, { ttl: "40s", owner });
    await evict(name, "lock");
    const busy = await other.lock(name).tryAcquire();
    expect((busy as { ttlMs: number }).ttlMs).toBeGreaterThan(30_000);
  });

  it("without the lock itself, after the release: is free", async () => {
    const name = freshName();
    await (await taken(hf, name, { ttl: "1h" })).release();
    await evict(name, "lock");
    expect(await (await taken(other, name)).release()).toEqual({ status: "ok" });
  });

  it("without its fence: is renewed, released, and the next fence is higher", async () => {
    const name = freshName();
    const held = await taken(hf, name);
    await evict(name, "fence");
    expect(await held.extend()).toEqual({ status: "ok" });
    expect(await held.release()).toEqual({ status: "ok" });
    await evict(name, "fence");
    const next = await taken(other, name);
    expect(next.fence).toBeGreaterThan(held.fence);
    await next.release();
  });

  it("without the ended tokens: a repeated release takes nothing of another's", async () => {
    const name = freshName();
    const held = await taken(hf, name);
    await held.release();
    await evict(name, "ended");
    const next = await taken(other, name);
    expect(await held.release()).toEqual({ status: "ok" });
    expect(next.held).toBe(true);
    expect(await next.release()).toEqual({ status: "ok" });
  });

  it("without the holds: another hold of the owner does not free what they believe in", async () => {
    const name = freshName();
    const held = await taken(hf, name, { owner: "job" });
    await evict(name, "holds");
    await (await taken(other, name, { owner: "job" })).release();
    expect(held.held).toBe(true);
    expect(await other.lock(name).tryAcquire()).toMatchObject({ status: "busy" });
    expect(await held.extend()).toEqual({ status: "expired" });
  });

  it("without `alive`: a waiter is still woken", async () => {
    const name = freshName();
    const held = await taken(hf, name, { ttl: "1h" });
    const waiting = other.lock(name).acquire();
    await waitersOf(hf, name, 1);
    await evict(name, "alive");
    await held.release();
    expect(await (await waiting).release()).toEqual({ status: "ok" });
  });
});

describe("a lock of which a key was evicted, under a virtual clock [embedded]", () => {
  it("without `queue`: a waiter waits no longer than half a minute, however long the lock would have been held", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const [hf, other] = await Promise.all([server.connect({ prefix: "p" }), server.connect({ prefix: "p" })]);
    const held = await taken(hf, "a", { ttl: "1h" });
    let acquiredAt: number | undefined;
    const waiting = other.lock("a").acquire({ wait: "2h" });
    void waiting.then(() => (acquiredAt = server.clock.now()));
    await server.clock.advance("1s");
    expect(await hf.lock("a").info()).toMatchObject({ waiters: 1 });
    await hf.driver.send(["DEL", "p:lock:{a}:queue"], { op: "test", class: "idempotent" }, "p:lock:{a}:queue");
    await held.release();
    const freeAt = server.clock.now();
    await server.clock.advance("31s");
    expect(acquiredAt! - freeAt).toBeLessThanOrEqual(30_000);
    await (await waiting).release();
  });
});
