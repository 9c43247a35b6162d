/**
 * Locks when something breaks, on servers and processes of this file's own.
 * What could go wrong, and the test for each:
 * - a holder that was stopped goes on as if it still held the lock ... "a stopped process", "a blocked event loop"
 * - a holder does not learn of its loss while no server answers ...... "killed", "stopped" (server)
 * - a fail-over loses a lock that was replicated, or a fence goes back ... "in a fail-over"
 * - a short outage loses a lock ..................................... "CLIENT PAUSE"
 * - a lost answer leaves a ghost, or takes the lock twice ............ "the answer to an acquire is lost", "given up"
 * - a lost answer makes a release untruthful ........................ "the answer to a release is lost", "where it was handed over"
 * - a lost wake-up leaves a waiter asleep ........................... "a wake-up is lost"
 * - a waiter hangs, or gives up at once, while no server answers ..... "waits for a server", "ends its waiting in time"
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { lossOf, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import { runVitest } from "../../test/support/nested-vitest.ts";
import { type Proxy, startProxy } from "../../test/support/proxy.ts";
import { startSentinel } from "../../test/support/sentinel.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { connect, type ConnectOptions } from "../connect.ts";
import { AbortedError, HoldfastError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { HeldLock } from "./held-lock.ts";

const CONNECT = new URL("../connect.ts", import.meta.url).pathname;

/** The process that holds a lock until it is told to stop, and reports what it sees of it. */
const HOLDER = `
import { connect } from ${JSON.stringify(CONNECT)};
test("holder", async () => {
  const hf = await connect(process.env.HOLDER_URL, { prefix: process.env.HOLDER_PREFIX });
  const lock = await hf.lock("a", { ttl: "3s" }).acquire();
  const lost = new Promise((resolve) => lock.signal.addEventListener("abort", resolve));
  console.log("HELD " + lock.fence);
  await lost;
  console.log("LOST " + lock.signal.reason.reason);
  console.log("END " + (await lock.release()).status);
  await hf.close();
}, 60_000);
`;

function open(url: string, options: ConnectOptions): Promise<Holdfast> {
  return connect(url, { timeout: "10s", ...options });
}

describe("locks in a fail-over", () => {
  it("a lock that reached the replicas is kept, and fences go on rising", async () => {
    await using sentinel = await startSentinel();
    await using hf = await connect(sentinel.url, { prefix: "failover", timeout: "10s" });
    const lock = await taken(hf, "a", { ttl: "60s" });
    await until("the lock on every replica", async () => {
      const found = await Promise.all(
        (await sentinel.replicas()).map((each) => each.command("EXISTS", "failover:lock:{a}")),
      );
      return found.every((count) => count === 1);
    });
    await (await sentinel.primary()).kill();
    expect(await until("the new primary", () => lock.extend("60s"))).toEqual({ status: "ok" });
    expect(await hf.lock("a").tryAcquire()).toMatchObject({ status: "busy" });
    expect(await lock.release()).toEqual({ status: "ok" });
    const next = await taken(hf, "a", { ttl: 1_000 });
    expect(next.fence).toBeGreaterThan(lock.fence);
    await next.release();
  });
});

describe("locks under faults", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let behindProxy: Holdfast;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
  });

  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });

  beforeEach(async () => {
    const prefix = `test-${randomUUID()}`;
    [hf, behindProxy] = await Promise.all([open(server.url, { prefix }), open(proxy.url, { prefix })]);
  });

  afterEach(async () => {
    await proxy.heal();
    await Promise.all([hf.close(), behindProxy.close()]);
  });

  describe("the holder", () => {
    it("a stopped process finds its lock stolen when it goes on", async () => {
      const prefix = `test-${randomUUID()}`;
      process.env["HOLDER_URL"] = server.url;
      process.env["HOLDER_PREFIX"] = prefix;
      using holder = runVitest({ "holder.test.ts": HOLDER }, "--disable-console-intercept");
      const lines = createInterface(holder.child.stdout!);
      const said: string[] = [];
      lines.on("line", (line) => said.push(line));
      const hears = (word: string): Promise<string> =>
        until(`${word} from the holder`, () => said.find((line) => line.startsWith(word))?.split(" ")[1]);
      await using watcher = await open(server.url, { prefix });

      const fence = Number(await hears("HELD"));
      holder.child.kill("SIGSTOP");
      const next = await watcher.lock("a").acquire();
      expect(next.fence).toBeGreaterThan(fence);
      holder.child.kill("SIGCONT");
      expect(await hears("LOST")).toMatch(/^(expired|stolen)$/);
      expect(await hears("END")).toBe("stolen");
      expect(next.held).toBe(true);
      await next.release();
      await once(holder.child, "exit");
    });

    it("a blocked event loop does not hide the loss", async () => {
      const lock = await taken(hf, "a", { ttl: 200 });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      // In the same turn, before any timer could run.
      expect(lock.held).toBe(false);
      expect(lock.signal.aborted).toBe(true);
      expect(await lock.release()).toEqual({ status: "expired" });
    });
  });

  describe("the server", () => {
    it("killed: the holder is told by its own clock, nothing hangs, and fences go on rising", async () => {
      const lock = await until("the lock", () => taken(hf, "a", { ttl: 1_500, timeout: "1s" }));
      const lost = lossOf(lock);
      await server.kill();
      expect(await lost).toMatchObject({ code: "LEASE_LOST", reason: "expired" });
      expect(await lock.release()).toEqual({ status: "expired" });
      await server.restart();
      const next = await until("the lock again", () => taken(hf, "a", { ttl: 1_000 }));
      // The server has forgotten all it knew, the last fence too.
      expect(next.fence).toBeGreaterThan(lock.fence);
      await next.release();
    });

    it("stopped: the holder is told by its own clock, and nothing hangs", async () => {
      const lock = await until("the lock", () => taken(hf, "a", { ttl: 1_500, timeout: "1s" }));
      const lost = lossOf(lock);
      await server.pause();
      expect(await lost).toMatchObject({ reason: "expired" });
      expect(await lock.release()).toEqual({ status: "expired" });
      const error = await hf
        .lock("b", { timeout: 300 })
        .tryAcquire()
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: "UnavailableError", op: "lock.acquire", key: "b", retryable: true });
      server.resume();
      await until("the lock again", async () => (await taken(hf, "b", { ttl: 1_000 })).release());
    });

    it("CLIENT PAUSE, shorter than the ttl, loses nothing", async () => {
      const lock = await taken(hf, "a", { ttl: 10_000 });
      await server.command("CLIENT", "PAUSE", "5000", "ALL");
      // The pause holds this up, and the renewal at a third of the ttl.
      await hf.ping();
      await until("a renewal", () => lock.remainingMs > 7_000);
      expect(lock.signal.aborted).toBe(false);
      expect(await lock.release()).toEqual({ status: "ok" });
    });

    it("waits for a server that is away, within its wait", async () => {
      await server.kill();
      const wait = hf.lock("a").acquire({ wait: "20s" });
      await server.restart();
      expect(await (await wait).release()).toEqual({ status: "ok" });
    });

    it("ends its waiting in time while the server is away", async () => {
      await server.kill();
      const error = await hf
        .lock("a")
        .acquire({ wait: 500 })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(HoldfastError);
      expect(["UNAVAILABLE", "TIMEOUT"]).toContain((error as HoldfastError).code);
      await server.restart();
    });
  });

  describe("the connection", () => {
    beforeEach(async () => {
      const lock = await taken(hf, "first", { ttl: 1_000 });
      await lock.extend();
      await lock.release();
    });

    it("the answer to an acquire is lost: the lock is taken once", async () => {
      proxy.dropReplies();
      const executed = proxy.sawReply("acquired");
      const wait = behindProxy.lock("a", { timeout: "4s", ttl: "20s" }).acquire();
      await executed;
      const { fence } = (await hf.lock("a").info())!;
      await proxy.heal();
      const lock = await wait;
      expect(lock.fence).toBe(fence);
      expect(await lock.release()).toEqual({ status: "ok" });
      expect(await hf.lock("a").info()).toBeUndefined();
    });

    it("given up after its answer was lost: no ghost stays", async () => {
      proxy.dropReplies();
      const executed = proxy.sawReply("acquired");
      const abort = new AbortController();
      const wait = behindProxy.lock("a", { timeout: "4s", ttl: "1h" }).acquire({ signal: abort.signal });
      await executed;
      abort.abort();
      await expect(wait).rejects.toBeInstanceOf(AbortedError);
      await proxy.heal();
      await until("the lock to be free", async () => (await hf.lock("a").info()) === undefined);
    });

    it("the answer to a release is lost: it is told as it was, though another has the lock by now", async () => {
      const lock = await taken(behindProxy, "a", { ttl: "60s" });
      proxy.dropReplies();
      const executed = proxy.sawReply("released");
      const release = lock.release();
      await executed;
      const other = await hf.lock("a").acquire();
      await proxy.heal();
      expect(await release).toEqual({ status: "ok" });
      expect(other.held).toBe(true);
      await other.release();
    });

    it("a release that is called again, since the first had no answer, says what the first did", async () => {
      const lock = await taken(behindProxy, "a", { ttl: "60s", timeout: "300ms" });
      proxy.dropReplies();
      await expect(lock.release()).rejects.toThrow(HoldfastError);
      await (await taken(hf, "a")).release();
      await (await taken(hf, "a")).release();
      await proxy.heal();
      expect(await lock.release()).toEqual({ status: "ok" });
    });

    it("the same where it was handed over, and where it has been handed on since", async () => {
      const first = await taken(hf, "a", { ttl: "60s" });
      const queued: Promise<HeldLock>[] = [];
      for (const of of [behindProxy, hf, hf, hf]) {
        queued.push(of.lock("a", { ttl: "60s" }).acquire());
        await waitersOf(hf, "a", queued.length);
      }
      await first.release();
      const lock = await queued[0]!;
      proxy.dropReplies();
      const executed = proxy.sawReply("released");
      const release = lock.release();
      await executed;
      await (await queued[1]!).release();
      await (await queued[2]!).release();
      await proxy.heal();
      expect(await release).toEqual({ status: "ok" });
      const last = await queued[3]!;
      expect(last.held).toBe(true);
      await last.release();
    });

    it("a renewal's answer is lost: it is asked again, and the lock kept", async () => {
      const lock = await taken(behindProxy, "a", { ttl: "9s" });
      proxy.dropReplies();
      await proxy.sawReply("extended");
      await proxy.heal();
      await until("a renewal", () => lock.remainingMs > 6_500);
      expect(await lock.release()).toEqual({ status: "ok" });
    });

    it("a wake-up is lost: the waiter looks again when the lock would have expired", async () => {
      const lock = await taken(hf, "a", { ttl: "3s", renew: false });
      const wait = behindProxy.lock("a").acquire();
      await waitersOf(hf, "a", 1);
      const [key] = (await hf.scan("lock:").next()).value as string[];
      const base = key!.slice(0, key!.indexOf("}") + 1);
      await server.command("DEL", `${base}:queue`, `${base}:alive`);
      await lock.release();
      expect(await (await wait).release()).toEqual({ status: "ok" });
    });

    it("a waiter whose connection breaks waits on", async () => {
      const lock = await taken(hf, "a", { ttl: "60s" });
      const wait = behindProxy.lock("a").acquire();
      await waitersOf(hf, "a", 1);
      proxy.reset();
      await lock.release();
      expect(await (await wait).release()).toEqual({ status: "ok" });
    });

    it("a frozen connection does not hold a waiter beyond its time", async () => {
      const lock = await taken(hf, "a", { ttl: "60s" });
      const wait = behindProxy.lock("a").acquire({ wait: "3s" });
      await waitersOf(hf, "a", 1);
      proxy.freeze();
      const error: unknown = await wait.catch((thrown: unknown) => thrown);
      expect((error as HoldfastError).code).toMatch(/^(TIMEOUT|UNAVAILABLE)$/);
      await lock.release();
    });
  });
});
