/**
 * What could go wrong at the seams of a handle, and the test for it:
 * - close() refuses what was called just before it ............................ "sends what was called before it"
 * - somebody who listens is forgotten by close() and waits for ever ........... "ends a stream that is opened meanwhile"
 * - close() waits for a server that is silent .................................. "while the server is silent"
 * - close() leaves a load running for as long as it likes .................... "calls off a load"
 * - close() leaves places in queues behind ..................................... "leaves the queue of a lock"
 * - a scan leaves out nodes, other prefixes, or keys with signs of globs ....... "scan"
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../test/support/backends.ts";
import { type Proxy, type Standalone, startProxy, startStandalone, until } from "../test/support/servers.ts";
import { connect } from "./connect.ts";
import { Deferred } from "./base/deferred.ts";
import { ClosedError, InvalidArgumentError } from "./base/errors.ts";
import type { Holdfast } from "./holdfast.ts";

const prefix = (): string => `t${randomBytes(6).toString("hex")}`;

async function all<T>(pages: AsyncIterable<T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

describe.each(backends())("the handle [$name]", ({ url, options }) => {
  const open = (): Promise<Holdfast> => connect(url, { ...options, prefix: prefix() });

  describe("close", () => {
    it("sends what was called before it in the same turn, merged or not", async () => {
      const hf = await open();
      const increments = Array.from({ length: 20 }, (_, at) => hf.counter("c").increment(`id-${at}`));
      const read = hf.cache("values").get("x");
      await hf.close();
      expect((await Promise.all(increments)).every(({ status }) => status === "ok")).toBe(true);
      expect(await read).toBeUndefined();
    });

    it("refuses what is called after it", async () => {
      const hf = await open();
      await hf.close();
      await expect(hf.cache("values").get("x")).rejects.toThrow(ClosedError);
      await expect(hf.cache("values").getOrSet("x", () => 1)).rejects.toThrow(ClosedError);
      await expect(hf.lock("x").acquire()).rejects.toThrow(ClosedError);
      await expect(hf.transaction([hf.key("g", "x")], () => 1)).rejects.toThrow(ClosedError);
      await expect(hf.channel("x").subscribe(() => undefined)).rejects.toThrow(ClosedError);
      await expect(hf.scan().next()).rejects.toThrow(ClosedError);
      await expect(hf.ping()).rejects.toThrow(ClosedError);
    });

    it("is idempotent, and each call waits for the end", async () => {
      const hf = await open();
      const states: string[] = [];
      hf.onState(({ state }) => states.push(state));
      const closing = hf.close();
      await hf.close();
      expect(states).toContain("closed");
      await closing;
      await hf[Symbol.asyncDispose]();
    });

    it("ends a stream that is opened meanwhile", async () => {
      const hf = await open();
      const closing = hf.close();
      const stream = hf.channel("x").messages();
      await closing;
      // Refused, or ended with the handle, depending on who came first; but not left waiting.
      const first = await stream.next().catch((error: unknown) => error);
      expect(first instanceof ClosedError || (first as { done: boolean }).done).toBe(true);
    });

    it("leaves the queue of a lock for which it waits", async () => {
      const shared = prefix();
      await using holder = await connect(url, { ...options, prefix: shared });
      const hf = await connect(url, { ...options, prefix: shared });
      await holder.lock("x").acquire();
      const waiting = hf
        .lock("x")
        .acquire()
        .catch((error: unknown) => error);
      await until("it waits", async () => (await holder.lock("x").info())?.waiters === 1);
      await hf.close();
      expect(await waiting).toBeInstanceOf(ClosedError);
      expect((await holder.lock("x").info())?.waiters).toBe(0);
    });

    it("calls off a load that is under way, which would keep the process alive", async () => {
      const hf = await open();
      const begun = new Deferred<AbortSignal>();
      const load = ({ signal }: { signal: AbortSignal }): Promise<string> => {
        begun.resolve(signal);
        return new Promise(() => {});
      };
      const value = hf.cache<string>("values").getOrSet("x", load);
      const failure = value.catch((error: unknown) => error);
      const signal = await begun.promise;
      await hf.close();
      expect(await failure).toBeInstanceOf(ClosedError);
      expect(signal.aborted).toBe(true);
    });
  });

  it("scan returns all keys under a head on all nodes, and nothing else", async () => {
    const odd = `t*[${randomBytes(4).toString("hex")}]?`;
    await using hf = await connect(url, { ...options, prefix: odd });
    await using other = await connect(url, { ...options, prefix: odd.replace("*", "x") });
    const ids = Array.from({ length: 300 }, (_, at) => `id-${at}`);
    await Promise.all(ids.map((id) => hf.cache("wanted").set(id, id)));
    await Promise.all([hf.cache("other").set("x", 1), other.cache("wanted").set("x", 1)]);
    const found = new Set(await all(hf.scan("cache:wanted:", { count: 50 })));
    expect(found).toEqual(new Set(ids.map((id) => `${odd}:cache:wanted:{${id}}`)));
    expect(await all(hf.scan("nothing:"))).toEqual([]);
  });

  it.each([0, -1, 1.5, Number.NaN, "10" as unknown as number])("scan refuses the count %j", async (count) => {
    await using hf = await open();
    await expect(hf.scan("", { count }).next()).rejects.toThrow(InvalidArgumentError);
  });

  it("scan ends with its signal", async () => {
    await using hf = await open();
    await expect(hf.scan("", { signal: AbortSignal.abort() }).next()).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("all keys of a group are in the same slot, whatever their names", async () => {
    await using hf = await open();
    const keys = ["a", "b{c}", "}{", 7].map((name) => hf.key("accounts{1}", name));
    expect(new Set(keys).size).toBe(4);
    expect(new Set(keys.map((key) => hf.driver.slotOf(key))).size).toBe(1);
  });
});

describe("close while the server is silent [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
  });
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it("does not wait for a subscription that is being made", async () => {
    await using other = await connect(server.url);
    const hf = await connect(proxy.url, { timeout: "1h", closeTimeout: "200ms", drainTimeout: 0 });
    await other.lock("x").acquire();
    // The lock is busy, so the next step is the subscription for wake-ups, which never comes to an end.
    const asked = proxy.sawReply("busy");
    const waiting = hf
      .lock("x")
      .acquire({ wait: "1h" })
      .catch((error: unknown) => error);
    await asked;
    proxy.freeze();
    await hf.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
  });
});
