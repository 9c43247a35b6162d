/**
 * A server whose memory is full (`maxmemory` with `noeviction`): acquiring may be refused, keeping and giving back may not.
 * What could go wrong, and the test for each:
 * - renewals are refused, and every lock of the fleet is lost at once .... "is renewed"
 * - the lock cannot be given back, and blocks for a ttl ................. "is handed to its waiter"
 * - a waiter hangs .................................................... the same, "is refused"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { taken, waitersOf } from "../../test/support/lock-fixture.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";

describe("locks on a server whose memory is full [standalone]", () => {
  let server: Standalone;
  let hf: Holdfast;

  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server?.stop());

  beforeEach(async () => {
    hf = await connect(server.url, { prefix: `test-${randomUUID()}`, timeout: "10s" });
  });
  afterEach(async () => {
    await server.command("CONFIG", "SET", "maxmemory", "0");
    await hf.close();
  });

  /** Each write that could take memory is refused from now on. */
  async function fill(): Promise<void> {
    await server.command("CONFIG", "SET", "maxmemory", "1");
    await expect(server.command("SET", "a", "b")).rejects.toThrow("OOM");
  }

  it("is renewed, also where several hold it, and extended", async () => {
    const [first, second] = [await taken(hf, "a", { owner: "x" }), await taken(hf, "a", { owner: "x" })];
    const alone = await taken(hf, "b");
    await fill();
    for (const held of [first, second, alone]) {
      expect(await held.extend()).toEqual({ status: "ok" });
      expect(await held.extend("1h")).toEqual({ status: "ok" });
    }
    expect((await hf.lock("b").info())!.ttlMs).toBeGreaterThan(3_500_000);
  });

  it("is handed to its waiter, and released", async () => {
    const lock = hf.lock("a", { ttl: "1h" });
    const held = await lock.acquire();
    const waiting = lock.acquire();
    await waitersOf(hf, "a", 1);
    await fill();
    expect(await held.release()).toEqual({ status: "ok" });
    const next = await waiting;
    expect(next.fence).toBeGreaterThan(held.fence);
    expect(await next.release()).toEqual({ status: "ok" });
    expect(await lock.info()).toBeUndefined();
  });

  it("is refused to a newcomer, with the reason, and is free once there is room", async () => {
    await fill();
    await expect(hf.lock("a").tryAcquire()).rejects.toMatchObject({
      code: "SERVER_FULL",
      op: "lock.acquire",
      key: "a",
    });
    await expect(hf.lock("a").acquire({ wait: 50 })).rejects.toMatchObject({ code: "SERVER_FULL" });
    await server.command("CONFIG", "SET", "maxmemory", "0");
    expect(await (await taken(hf, "a")).release()).toEqual({ status: "ok" });
  });
});
