/**
 * What could go wrong, and the test for each:
 * - the body's value or error does not come out ........ "returns what the body returns", "passes the body's error on"
 * - the lock stays behind ............................... the same two
 * - a body that was not alone counts as a success ....... "rejects when the body has ended but the lock was lost"
 * - a body that released it itself counts as a loss ..... "lets the body release"
 * - a body that may go on no longer does not know ....... "aborts the signal when maxHold is over"
 * - a body waits for the lock that it is in ............. "refuses at once to wait for itself"
 * - or is refused what it would get ..................... "does not take others for itself"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, lossOf } from "../../test/support/lock-fixture.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";

describe.each(backends())("a lock's run [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  let hf: Holdfast;

  beforeAll(() => {
    ({ hf } = fixture);
  });

  it("returns what the body returns and releases", async () => {
    const lock = hf.lock(freshName());
    expect(await lock.run((held) => Promise.resolve(`${held.name}!`))).toBe(`${lock.name}!`);
    expect(await lock.info()).toBeUndefined();
  });

  it("passes the body's error on and releases", async () => {
    const lock = hf.lock(freshName());
    const failure = new Error("mine");
    await expect(lock.run(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(await lock.info()).toBeUndefined();
  });

  it("rejects when the body has ended but the lock was lost", async () => {
    const name = freshName();
    const body = async (): Promise<void> => void (await fixture.send("DEL", fixture.keysOf(name).lock));
    await expect(hf.lock(name).run(body)).rejects.toMatchObject({ code: "LEASE_LOST", reason: "expired" });
  });

  it("lets the body release", async () => {
    expect(await hf.lock(freshName()).run((held) => held.release())).toEqual({ status: "ok" });
  });

  it("aborts the signal when maxHold is over, and still returns the body's value", async () => {
    expect(await hf.lock(freshName(), { maxHold: 50 }).run(lossOf)).toMatchObject({ reason: "maxHold" });
  });

  it("refuses at once to wait for itself, however deep it is nested", async () => {
    const [name, between] = [freshName(), freshName()];
    const nested = hf.lock(name).run(() => hf.lock(between).run(() => hf.lock(name).acquire({ wait: "1h" })));
    await expect(nested).rejects.toMatchObject({ code: "CONFLICT", op: "lock.acquire", key: name });
    await expect(nested).rejects.toThrow(/wait for itself.*`owner`/);
    expect(await hf.lock(name).info()).toBeUndefined();
    expect(await hf.lock(between).info()).toBeUndefined();
  });

  it("does not take others for itself: one owner, another call, what it has released, a look", async () => {
    const name = freshName();
    const job = hf.lock(name, { owner: "job" });
    expect(await job.run(() => job.run(() => "shared"))).toBe("shared");
    const lock = hf.lock(name);
    expect(await Promise.all([lock.run(() => "one"), lock.run(() => "two")])).toEqual(["one", "two"]);
    expect(await lock.run(() => lock.tryAcquire())).toMatchObject({ status: "busy" });
    const after = await lock.run(async (held) => {
      await held.release();
      return lock.acquire();
    });
    expect(await after.release()).toEqual({ status: "ok" });
  });

  it("refuses a body that is no function, as in withLock(name, options, body)", async () => {
    await expect(hf.lock(freshName()).run({} as never)).rejects.toBeInstanceOf(InvalidArgumentError);
  });
});
