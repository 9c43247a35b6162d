/**
 * Read-write locks when something breaks, on a server of this file's own.
 * What could go wrong, and the test for each:
 * - a lost answer leaves a ghost that nobody releases .................... "the answer to an acquire is lost", "given up"
 * - a lost answer makes a release untruthful .......................... "the answer to a release is lost"
 * - a lost answer to a downgrade or an upgrade leaves it half done ........ "to a downgrade", "to an upgrade"
 * - while memory is full holders lose what they hold, or cannot return it .. "whose memory is full"
 * - a key that was evicted lets somebody in beside the writer ............. "never anybody beside the writer"
 * - a holder does not learn of its loss while no server answers .......... "stopped"
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { type Proxy, startProxy } from "../../test/support/proxy.ts";
import { waitingAt } from "../../test/support/rwlock-fixture.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { AbortedError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { RwLock } from "./rwlock.ts";
import { acquire, downgrade, release, upgrade } from "./scripts.gen.ts";

describe("read-write locks under faults", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let behindProxy: Holdfast;
  let prefix: string;
  let lock: RwLock;
  let far: RwLock;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    prefix = randomName();
    const open = (url: string): Promise<Holdfast> => connect(url, { prefix, timeout: "10s" });
    [hf, behindProxy] = await Promise.all([open(server.url), open(proxy.url)]);
    lock = hf.rwlock("a", { ttl: "20s" });
    far = behindProxy.rwlock("a", { ttl: "20s", timeout: "4s" });
    await behindProxy.rwlock("first").read.run(() => undefined);
  });
  afterEach(async () => {
    await proxy.heal();
    await server.command("CONFIG", "SET", "maxmemory", "0");
    await Promise.all([hf.close(), behindProxy.close()]);
  });

  it.each(["read", "write"] as const)("the answer to an acquire is lost (%s): it is taken once", async (side) => {
    const held = await losingAnswer<{ release(): Promise<unknown> }>(proxy, acquire, () => far[side].acquire());
    expect(await lock.info()).toMatchObject({ mode: side });
    expect(await held.release()).toEqual({ status: "ok" });
    expect(await lock.info()).toMatchObject({ mode: "free" });
  });

  it("given up after its answer was lost: no ghost stays", async () => {
    const abort = new AbortController();
    const waiting = losingAnswer(
      proxy,
      acquire,
      () => far.write.acquire({ signal: abort.signal }),
      async () => {
        expect(await lock.info()).toMatchObject({ mode: "write" });
        abort.abort();
      },
    );
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
    await until("the lock to be free", async () => (await lock.info()).mode === "free");
  });

  it("the answer to a release is lost: it is reported as it was, though another holds it by now", async () => {
    const held = await far.write.acquire();
    let next: { release(): Promise<unknown> } | undefined;
    const status = await losingAnswer(
      proxy,
      release,
      () => held.release(),
      async () => void (next = await lock.write.acquire()),
    );
    expect(status).toEqual({ status: "ok" });
    expect(await next!.release()).toEqual({ status: "ok" });
  });

  it("the answer to a downgrade is lost: it reads, and others do", async () => {
    const writing = await far.write.acquire();
    const reading = await losingAnswer(proxy, downgrade, () => writing.downgrade());
    const reader = await lock.read.acquire();
    expect(await lock.info()).toMatchObject({ mode: "read", readers: 2 });
    expect([await reading.release(), await reader.release()]).toEqual([{ status: "ok" }, { status: "ok" }]);
  });

  it("the answer to an upgrade is lost: it writes; given up, it is upgradable as before", async () => {
    const upgradable = await far.upgradable.acquire();
    const writing = await losingAnswer(proxy, upgrade, () => upgradable.upgrade());
    expect(await lock.info()).toMatchObject({ mode: "write", fence: writing.fence });
    await writing.release();
    const again = await far.upgradable.acquire();
    const abort = new AbortController();
    const given = losingAnswer(
      proxy,
      upgrade,
      () => again.upgrade({ signal: abort.signal }),
      () => Promise.resolve(abort.abort()),
    );
    await expect(given).rejects.toBeInstanceOf(AbortedError);
    await until("it to be upgradable", async () => (await lock.info()).upgradable);
    expect(again.held).toBe(true);
    await again.release();
  });

  it("on a server whose memory is full: is kept, extended, released, and refused to a newcomer", async () => {
    const held = await lock.write.acquire();
    const waiting = far.read.acquire();
    await waitingAt(hf, "a", { readers: 1, writers: 0 });
    await server.command("CONFIG", "SET", "maxmemory", "1");
    await expect(server.command("SET", "a", "b")).rejects.toThrow("OOM");
    expect(await held.extend("1h")).toEqual({ status: "ok" });
    await expect(hf.rwlock("b").read.tryAcquire()).rejects.toMatchObject({ code: "SERVER_FULL" });
    expect(await held.release()).toEqual({ status: "ok" });
    await server.command("CONFIG", "SET", "maxmemory", "0");
    expect(await (await waiting).release()).toEqual({ status: "ok" });
  });

  it.each(["", ":state", ":readers", ":writers", ":alive"])(
    "the key <name>%s was evicted: never anybody beside the writer, and the waiter comes in",
    async (part) => {
      const held = await hf.rwlock("a", { ttl: 1_500, renew: false }).write.acquire();
      const waiting = far.write.acquire();
      await waitingAt(hf, "a", { readers: 0, writers: 1 });
      await server.command("DEL", `${prefix}:rwlock:{a}${part}`);
      expect(await lock.read.tryAcquire()).toMatchObject({ status: "busy" });
      const next = await waiting;
      expect(held.held).toBe(false);
      expect(next.fence).toBeGreaterThan(held.fence);
      expect(await next.release()).toEqual({ status: "ok" });
    },
  );

  it("stopped: the holder knows by its own clock, nothing hangs, and a waiter waits for the server", async () => {
    const held = await hf.rwlock("a", { ttl: 1_000, timeout: "1s" }).write.acquire();
    const lost = new Promise((resolve) => held.signal.addEventListener("abort", resolve));
    await server.pause();
    const waiting = behindProxy.rwlock("a", { timeout: "1s" }).read.acquire({ wait: "1m" });
    const asked = hf.rwlock("a", { timeout: 300 }).read.tryAcquire();
    await expect(asked).rejects.toMatchObject({ op: "rwlock.acquire", key: "a", retryable: true });
    await lost;
    expect(await held.release()).toEqual({ status: "expired" });
    server.resume();
    expect(await (await waiting).release()).toEqual({ status: "ok" });
  });
});
