/**
 * Semaphores when something breaks, on a server of this file's own.
 * What could go wrong, and the test for each:
 * - a lost answer takes permits twice, or leaves them taken ............ "the answer to an acquire is lost", "given up"
 * - a lost answer makes a release untruthful, or gives back twice ........ "the answer to a release is lost"
 * - while memory is full holders lose what they hold, or cannot return it .. "whose memory is full"
 * - a key that was evicted hangs a waiter, or its holders never know ...... "was evicted"
 * - a holder does not learn of its loss while no server answers .......... "stopped"
 * - a waiter hangs, or gives up at once, while no server answers ......... "waits for a server"
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { type Proxy, startProxy } from "../../test/support/proxy.ts";
import { permitWaiters, takenPermits } from "../../test/support/semaphore-fixture.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { AbortedError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { acquire, release, wait } from "./scripts.gen.ts";

describe("semaphores under faults", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let behindProxy: Holdfast;
  let prefix: string;

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
    // So that every script is known to the server, and each test's connection is made.
    await takenPermits(behindProxy, "first", { permits: 1 }).then((held) => held.release());
  });
  afterEach(async () => {
    await proxy.heal();
    await server.command("CONFIG", "SET", "maxmemory", "0");
    await Promise.all([hf.close(), behindProxy.close()]);
  });

  const info = (): ReturnType<ReturnType<Holdfast["semaphore"]>["info"]> => hf.semaphore("a", { permits: 2 }).info();

  it("the answer to an acquire is lost: the permits are taken once", async () => {
    const semaphore = behindProxy.semaphore("a", { permits: 2, timeout: "4s", ttl: "20s" });
    const held = await losingAnswer(proxy, acquire, () => semaphore.acquire({ permits: 2 }));
    expect(await info()).toMatchObject({ held: 2, holders: [{ id: held.id, permits: 2 }] });
    expect(await held.release()).toEqual({ status: "ok" });
    expect(await info()).toMatchObject({ held: 0, holders: [] });
  });

  it("the answer to a waiter is lost: it still has its permits, once", async () => {
    const first = await takenPermits(hf, "a", { permits: 1, ttl: "1h" });
    const waiting = losingAnswer(proxy, wait, () =>
      behindProxy.semaphore("a", { permits: 1, timeout: "4s", ttl: "20s" }).acquire(),
    );
    await permitWaiters(hf, "a", 1);
    await first.release();
    const held = await waiting;
    expect(held.fence).toBeGreaterThan(first.fence);
    expect(await info()).toMatchObject({ held: 1, waiters: 0 });
    await held.release();
  });

  it("given up after its answer was lost: nothing stays taken", async () => {
    const abort = new AbortController();
    const semaphore = behindProxy.semaphore("a", { permits: 2, timeout: "4s", ttl: "1h" });
    const waiting = losingAnswer(
      proxy,
      acquire,
      () => semaphore.acquire({ signal: abort.signal }),
      async () => {
        expect(await info()).toMatchObject({ held: 1 });
        abort.abort();
      },
    );
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
    await until("the permits to be free", async () => (await info()).held === 0);
  });

  it("the answer to a release is lost: it is reported as it was, and gives back once", async () => {
    const semaphore = behindProxy.semaphore("a", { permits: 2, ttl: "60s", timeout: "4s" });
    const [held, other] = [await semaphore.acquire(), await semaphore.acquire()];
    const status = await losingAnswer(
      proxy,
      release,
      () => held.release(),
      async () => void (await takenPermits(hf, "a", { permits: 2 })),
    );
    expect(status).toEqual({ status: "ok" });
    expect(await info()).toMatchObject({ held: 2 });
    expect(await other.release()).toEqual({ status: "ok" });
  });

  it("on a server whose memory is full: is kept, extended, released, and refused to a newcomer", async () => {
    const held = await takenPermits(hf, "a", { permits: 2, ttl: "20s" }, 2);
    const waiting = behindProxy.semaphore("a", { permits: 2, ttl: "20s" }).acquire();
    await permitWaiters(hf, "a", 1);
    await server.command("CONFIG", "SET", "maxmemory", "1");
    await expect(server.command("SET", "a", "b")).rejects.toThrow("OOM");
    expect(await held.extend("1h")).toEqual({ status: "ok" });
    await expect(hf.semaphore("b", { permits: 1 }).tryAcquire()).rejects.toMatchObject({ code: "SERVER_FULL" });
    expect(await held.release()).toEqual({ status: "ok" });
    await server.command("CONFIG", "SET", "maxmemory", "0");
    expect(await (await waiting).release()).toEqual({ status: "ok" });
  });

  it.each(["", ":state", ":queue", ":alive"])(
    "the key <name>%s was evicted: the waiter comes in, the fence rises",
    async (part) => {
      const held = await takenPermits(hf, "a", { permits: 1, ttl: 1_500, renew: false });
      const waiting = behindProxy.semaphore("a", { permits: 1 }).acquire();
      await permitWaiters(hf, "a", 1);
      await server.command("DEL", `${prefix}:semaphore:{a}${part}`);
      const next = await waiting;
      expect(next.fence).toBeGreaterThan(held.fence);
      expect(await next.release()).toEqual({ status: "ok" });
    },
  );

  it("the permits were evicted: their holder learns of it at its next renewal", async () => {
    const held = await takenPermits(hf, "a", { permits: 1, ttl: 900 });
    const lost = new Promise((resolve) => held.signal.addEventListener("abort", resolve));
    await server.command("DEL", `${prefix}:semaphore:{a}`);
    await lost;
    expect(held.signal.reason).toMatchObject({ reason: "expired" });
  });

  it("stopped: the holder knows by its own clock, nothing hangs, and a waiter waits for the server", async () => {
    const held = await takenPermits(hf, "a", { permits: 1, ttl: 1_000, timeout: "1s" });
    const lost = new Promise((resolve) => held.signal.addEventListener("abort", resolve));
    await server.pause();
    const waiting = behindProxy.semaphore("a", { permits: 1, timeout: "1s" }).acquire({ wait: "1m" });
    const asked = hf.semaphore("a", { permits: 1, timeout: 300 }).tryAcquire();
    await expect(asked).rejects.toMatchObject({ op: "semaphore.acquire", key: "a", retryable: true });
    await lost;
    expect(await held.release()).toEqual({ status: "expired" });
    server.resume();
    expect(await (await waiting).release()).toEqual({ status: "ok" });
  });
});
