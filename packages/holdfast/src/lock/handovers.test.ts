/**
 * Locks that a release hands to a waiter of the same handle.
 * What could go wrong, and the test for each:
 * - it is told by a message all the same, or has it for the second that others have to accept it .. "for its whole ttl, and without a message"
 * - the fence does not rise, or those who wait behind it are passed over ......................... "in the order of arrival"
 * - it is held for the ttl of the one before it ................................................. "for its own ttl"
 * - what is handed to a waiter that has just given up stays with nobody .......................... "has just given up"
 * - the answer to the release is lost, and nobody knows who has the lock ......................... "whose answer is lost"
 * - the hold is not listed, though locks of its kind are ........................................ "lists it"
 */
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import { startProxy, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { HeldLock } from "./held-lock.ts";

const HOUR_MS = 3_600_000;

describe.each(backends())("a lock handed over within one handle [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ hf, other } = fixture);
  });

  it("is the next one's for its whole ttl, and without a message", async () => {
    const name = freshName();
    const heard: string[] = [];
    const listener = { message: (payload: Buffer) => void heard.push(payload.toString()), gap: () => undefined };
    const channel = `${fixture.prefix}:wake:all`;
    const subscription = await other.driver.subscribe("exact", channel, listener, { op: "test", class: "idempotent" });
    const first = await taken(hf, name, { ttl: "1h" });
    const waiting = hf.lock(name, { ttl: "1h" }).acquire();
    await waitersOf(other, name, 1);
    await first.release();
    const next = await waiting;
    expect((await other.lock(name).info())!.ttlMs).toBeGreaterThan(HOUR_MS / 2);
    expect(next.remainingMs).toBeGreaterThan(HOUR_MS / 2);
    await next.release();
    await other.driver.send(["PUBLISH", channel, "end"], { op: "test", class: "idempotent" });
    await until("the end", () => heard.includes("end"));
    expect(heard.filter((payload) => payload.startsWith("handed"))).toEqual([]);
    await subscription.close();
  });

  it("goes round in the order of arrival, also through another process, with fences that rise", async () => {
    const name = freshName();
    const order: number[] = [];
    const fences = [];
    const first = await taken(hf, name, { ttl: "1h" });
    const waiting = [];
    for (const [place, of] of [hf, other, hf, hf, other].entries()) {
      waiting.push(
        of
          .lock(name, { ttl: "1h" })
          .acquire()
          .then((lock) => {
            order.push(place);
            return lock;
          }),
      );
      await waitersOf(hf, name, place + 1);
    }
    let held = first;
    for (const next of waiting) {
      fences.push(held.fence);
      await held.release();
      held = await next;
    }
    await held.release();
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(fences).toEqual(fences.toSorted((a, b) => a - b));
    expect(new Set(fences).size).toBe(fences.length);
  });

  it("is the next one's for its own ttl, whatever the one before it had", async () => {
    const name = freshName();
    const first = await taken(hf, name, { ttl: "1m" });
    const waiting = hf.lock(name, { ttl: "1h", renew: false }).acquire();
    await waitersOf(hf, name, 1);
    await first.release();
    const next = await waiting;
    expect((await hf.lock(name).info())!.ttlMs).toBeGreaterThan(HOUR_MS / 2);
    expect(next.remainingMs).toBeGreaterThan(HOUR_MS / 2);
    await next.release();
  });

  it("goes on to the one behind a waiter that has just given up", async () => {
    const name = freshName();
    const first = await taken(hf, name, { ttl: "1h" });
    const stop = new AbortController();
    const gone = hf.lock(name, { ttl: "1h" }).acquire({ signal: stop.signal });
    await waitersOf(hf, name, 1);
    const waiting = other.lock(name, { ttl: "1h" }).acquire();
    await waitersOf(hf, name, 2);
    const release = first.release();
    stop.abort();
    await expect(gone).rejects.toMatchObject({ code: "ABORTED" });
    expect(await release).toEqual({ status: "ok" });
    expect(await (await waiting).release()).toEqual({ status: "ok" });
  });

  it("lists it, where locks are listed", async () => {
    const name = freshName();
    const first = await taken(hf, name, { ttl: "1h", index: true });
    const waiting = hf.lock(name, { ttl: "1h", index: true }).acquire();
    await waitersOf(hf, name, 1);
    await first.release();
    const next = await waiting;
    const listed = await until("it is listed", async () => {
      const { locks } = await hf.locks.list();
      return locks.find((lock) => lock.name === name && lock.fence === next.fence);
    });
    expect(listed.waiters).toBe(0);
    await next.release();
  });
});

describe("a lock handed over within one handle, under faults", () => {
  it("is found by its new holder after a release whose answer is lost", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy({ port: server.port });
    await using hf = await connect(proxy.url, { prefix: `test-${randomUUID()}`, timeout: "10s" });
    const first = await taken(hf, "a", { ttl: "1h" });
    const waiting: Promise<HeldLock>[] = [];
    for (const count of [1, 2]) {
      waiting.push(hf.lock("a", { ttl: "1h" }).acquire());
      await waitersOf(hf, "a", count);
    }
    await first.release();
    const second = await waiting[0]!;
    proxy.dropReplies();
    const executed = proxy.sawReply("handed");
    const release = second.release();
    await executed;
    await proxy.heal();
    expect(await release).toEqual({ status: "ok" });
    const third = await waiting[1]!;
    expect(third.fence).toBeGreaterThan(second.fence);
    expect(await third.release()).toEqual({ status: "ok" });
  });
});
