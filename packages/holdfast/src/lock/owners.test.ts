/**
 * A lock that several requests of one owner share. What could go wrong, and the test for each:
 * - a nested release frees what the outer still holds .......... "shares the lock of one owner"
 * - an owner is cut, or read as part of the format ............ "may be any text"
 * - holds of processes that died keep it for ever ............... "is free when all that is left"
 * - holds grow without a bound .................................. "limits the holds"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import type { Holdfast } from "../holdfast.ts";

describe.each(backends())("the owner of a lock [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ hf, other } = fixture);
  });

  it("shares the lock of one owner, with one fence, until the last hold is released", async () => {
    const name = freshName();
    const outer = await taken(hf, name, { owner: "job-7" });
    const inner = await taken(other, name, { owner: "job-7" });
    expect(inner.fence).toBe(outer.fence);
    expect(await hf.lock(name, { owner: "job-8" }).tryAcquire()).toMatchObject({ status: "busy" });
    expect(await inner.release()).toEqual({ status: "ok" });
    expect(await hf.lock(name).info()).toMatchObject({ owner: "job-7", fence: outer.fence });
    expect(outer.held).toBe(true);
    expect(await outer.release()).toEqual({ status: "ok" });
    expect(await hf.lock(name).info()).toBeUndefined();
  });

  it.each(["a\0b", "\0", "a 1 2", "a w", " w", "=", "a\nb 3 4 w", "%s"])("may be any text: %j", async (owner) => {
    const name = freshName();
    const held = await taken(hf, name, { owner });
    expect(await other.lock(name).info()).toMatchObject({ owner });
    expect(await other.lock(name, { owner: "a" }).tryAcquire()).toMatchObject({ status: "busy" });
    expect(await (await taken(other, name, { owner, ttl: "20s" })).release()).toEqual({ status: "ok" });
    const queued = other.lock(name, { owner: `${owner}!` }).acquire();
    await waitersOf(hf, name, 1);
    expect(await held.release()).toEqual({ status: "ok" });
    await queued;
    expect(await hf.lock(name).forceRelease()).toMatchObject({ owner: `${owner}!` });
  });

  it("is free when all that is left are holds of processes that died", async () => {
    const name = freshName();
    await taken(hf, name, { owner: "job", ttl: 200, renew: false });
    const alive = await taken(other, name, { owner: "job", ttl: "1h" });
    const wait = other.lock(name, { ttl: "1h" }).acquire();
    await waitersOf(hf, name, 1);
    await alive.release();
    expect(await (await wait).release()).toEqual({ status: "ok" });
  });

  it("limits the holds of one owner", async () => {
    const name = freshName();
    const holds = await Promise.all(Array.from({ length: 100 }, () => taken(hf, name, { owner: "loop" })));
    await expect(hf.lock(name, { owner: "loop" }).tryAcquire()).rejects.toMatchObject({ code: "OVERLOADED" });
    await Promise.all(holds.map((hold) => hold.release()));
    expect(await hf.lock(name).info()).toBeUndefined();
  });
});
