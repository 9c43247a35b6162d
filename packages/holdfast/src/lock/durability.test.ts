/**
 * What could go wrong, and the test for each:
 * - WAIT counts no write of this connection, and says yes too soon ... "is confirmed by the replicas; too few of them"
 * - what was not confirmed stays held ................................ the same
 * - a renewal that no replica has counts .............................. "a renewal that is not confirmed"
 * - a server without replicas, or without WAIT, is not noticed ......... "where there are no replicas", "may not ask"
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, lossOf, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import { type SentinelGroup, startSentinel } from "../../test/support/sentinel.ts";
import { startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import { NotReplicatedError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";

describe.each(backends("standalone", "cluster", "embedded"))("durable locks [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  let hf: Holdfast;
  beforeAll(() => {
    ({ hf } = fixture);
  });

  it("where there are no replicas, or too few, it is not acquired, says so, and leaves nothing", async () => {
    const name = freshName();
    for (const owner of [{}, { owner: "job" }]) {
      const lock = hf.lock(name, { durability: { replicas: 50, timeout: 20 }, ...owner });
      const error: unknown = await lock.tryAcquire().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(NotReplicatedError);
      expect(error).toMatchObject({ code: "UNAVAILABLE", op: "lock.acquire", key: name, retryable: true });
      expect((error as NotReplicatedError).message).toMatch(/of the 50 replicas asked for confirmed it within 20 ms/);
      await expect(lock.acquire({ wait: 50 })).rejects.toBeInstanceOf(NotReplicatedError);
      expect(await hf.lock(name).info()).toBeUndefined();
    }
  });

  it("refuses what is no durability, at the door", () => {
    for (const [durability, field] of [
      [{ replicas: 0 }, "durability.replicas"],
      [{}, "durability.replicas"],
      [{ replicas: 1, timeout: "4s" }, "durability.timeout"],
      [{ replica: 1 }, "replica"],
      [5, "durability"],
    ] as const)
      expect(() => hf.lock("a", { durability } as object)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT", field }),
      );
  });
});

describe("durable locks on replicas [sentinel]", () => {
  let group: SentinelGroup;
  let hf: Holdfast;
  beforeAll(async () => {
    group = await startSentinel();
    hf = await connect(group.url, { prefix: "durable", timeout: "10s" });
  });
  afterAll(async () => {
    await hf?.close();
    await group?.stop();
  });

  it("is confirmed by the replicas; too few of them, and it is released again; a renewal that is not confirmed", async () => {
    const both = { durability: { replicas: 2, timeout: 500 }, ttl: "3s" } as const;
    const held = await taken(hf, "a", both);
    for (const replica of await group.replicas()) expect(await replica.command("EXISTS", "durable:lock:{a}")).toBe(1);
    const waiting = hf.lock("a", { ttl: "3s" }).acquire();
    await waitersOf(hf, "a", 1);
    const [stopped] = await group.replicas();
    await stopped!.pause();
    try {
      // Not confirmed any more: the holder loses it by its deadline, and the next one comes in.
      const lost = lossOf(held);
      await expect(held.extend()).rejects.toMatchObject({ name: "NotReplicatedError", replicas: 1 });
      expect(await lost).toMatchObject({ reason: "expired" });
      await (await waiting).release();
      const error: unknown = await hf
        .lock("b", both)
        .tryAcquire()
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "NotReplicatedError", replicas: 1 });
      expect(await hf.lock("b").info()).toBeUndefined();
      const one = await taken(hf, "b", { durability: { replicas: 1 } });
      expect(await one.release()).toEqual({ status: "ok" });
    } finally {
      stopped!.resume();
    }
    const again = await until("both replicas", () => taken(hf, "b", both));
    await again.release();
  });
});

it("durable locks [standalone]: who may not ask with WAIT is refused, and nothing stays held", async () => {
  await using server = await startStandalone();
  await server.command("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-wait");
  await using hf = await connect(server.url.replace("redis://", "redis://app:secret@"), { prefix: "p" });
  const lock = hf.lock("a", { durability: { replicas: 1 } });
  await expect(lock.acquire()).rejects.toMatchObject({ code: "PERMISSION", op: "lock.acquire", key: "a" });
  expect(await lock.info()).toBeUndefined();
});
