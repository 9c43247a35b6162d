/**
 * Which loads a caller may join, and what ends them. What could go wrong, and the test for it:
 * - a caller while the server is away gets what was read before it asked ........ "joins a load that is older"
 * - the same just after the outage, from a load that began in it ................ "after an outage"
 * - callers that cannot join load at the same time: a herd in each process ...... "one at a time"
 * - the handle closes while a load runs: callers and process wait for it ........ "close"
 * - a signal with many calls warns of leaking listeners ......................... "one listener"
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { ClosedError } from "../base/errors.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Cache } from "./cache.ts";

/** A loader that answers on command, and counts how many run at a time. */
class Source {
  readonly #open: Deferred<void>[] = [];
  row = "old";
  running = 0;
  most = 0;

  get loads(): number {
    return this.#open.length;
  }

  readonly load = async (): Promise<string> => {
    const read = this.row;
    const open = new Deferred<void>();
    this.#open.push(open);
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await open.promise;
    this.running -= 1;
    return read;
  };

  answer(load: number): void {
    this.#open[load]!.resolve();
  }
}

describe("loads of a cache [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let cache: Cache<string>;
  let source: Source;
  beforeEach(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
    // With a breaker, one caller's question may fail at once and another's only at its deadline.
    hf = await connect(proxy.url, { prefix: randomName(), breaker: false });
    // Each question in vain takes as long; a shorter one would fail on a busy machine whose server is there.
    cache = hf.cache<string>("users", { timeout: "1s" });
    source = new Source();
  });
  afterEach(async () => {
    await hf.close();
    await proxy.stop();
    await server.stop();
  });

  const toLoad = async (count: number): Promise<void> => {
    await expect.poll(() => source.loads, { timeout: 10_000 }).toBe(count);
  };

  it("while the server is away nobody joins a load that is older than the question, and they run one at a time", async () => {
    proxy.freeze();
    const first = cache.getOrSet("ada", source.load);
    await toLoad(1);
    source.row = "new";
    const later = Array.from({ length: 20 }, () => cache.getOrSet("ada", source.load));
    // By then the questions of all of them have failed, and a tick later they all wait for the first load.
    await expect(cache.get("ada")).rejects.toMatchObject({ retryable: true });
    await new Promise(setImmediate);
    expect(source.loads).toBe(1);
    source.answer(0);
    expect(await first).toBe("old");
    await toLoad(2);
    source.answer(1);
    expect(new Set(await Promise.all(later))).toEqual(new Set(["new"]));
    expect([source.loads, source.most]).toEqual([2, 1]);
    await proxy.heal();
  });

  it("after an outage nobody joins a load that began in it", async () => {
    proxy.freeze();
    const first = cache.getOrSet("ada", source.load);
    await toLoad(1);
    await proxy.heal();
    await hf.ping();
    source.row = "new";
    const later = cache.getOrSet("ada", source.load);
    expect(await cache.get("ada")).toBeUndefined();
    source.answer(0);
    expect(await first).toBe("old");
    await toLoad(2);
    source.answer(1);
    expect(await later).toBe("new");
  });

  it("when the server cannot say whether the lease still holds, the load is not joined", async () => {
    const first = cache.getOrSet("ada", source.load);
    await toLoad(1);
    const asking = new Promise<void>((resolve) => {
      const send = hf.driver.script.bind(hf.driver);
      vi.spyOn(hf.driver, "script").mockImplementation((script, ...rest) => {
        // The question for the lease is the first script after the caller's own read was answered.
        proxy.freeze();
        resolve();
        return send(script, ...rest);
      });
    });
    source.row = "new";
    const later = cache.getOrSet("ada", source.load);
    await asking;
    await expect(cache.get("ada")).rejects.toMatchObject({ retryable: true });
    source.answer(0);
    await first;
    await toLoad(2);
    source.answer(1);
    expect(await later).toBe("new");
    await proxy.heal();
  });

  it("close calls off the loads under way: their signals fire, and their callers get a ClosedError at once", async () => {
    let reason: unknown;
    const stuck = cache.getOrSet("ada", ({ signal }) => {
      signal.addEventListener("abort", () => (reason = signal.reason));
      return new Promise<never>(() => undefined);
    });
    await expect.poll(() => cache.stats().loads).toBe(1);
    const [outcome] = await Promise.all([stuck.catch((error: unknown) => error), hf.close()]);
    expect(outcome).toBeInstanceOf(ClosedError);
    expect(reason).toBeInstanceOf(ClosedError);
    expect(await server.command("EXISTS", `${hf.key("x", "x").split(":")[0]!}:load:users:{ada}`)).toBe(0);
  });

  it("a signal has one listener for twenty calls, and none after them", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const calls = Array.from({ length: 20 }, (_, id) => cache.getOrSet(id, () => "v", { signal }));
    await Promise.all(calls);
    expect(added.mock.calls.length).toBe(removed.mock.calls.length);
    expect(added).toHaveBeenCalledTimes(1);
  });
});
