/**
 * A cache on a server whose memory is full (`maxmemory` with `noeviction`): reads answer, and a load under way stays one.
 *
 * What could go wrong, and the test for each:
 * - the lease of a load under way is not renewed, and everybody loads ........ "is renewed, and waited for"
 * - a caller that waits is refused, and loads beside the one under way ....... the same
 * - waiters for a value that could not be kept wait until the lease ends ..... the same: the lease is longer than the test
 * - a miss rejects, or loads more than once in a process ..................... "loads once per process"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";

describe("a cache on a server whose memory is full [standalone]", () => {
  let server: Standalone;
  let handles: Holdfast[];
  beforeAll(async () => {
    server = await startStandalone();
    const prefix = `test-${randomUUID()}`;
    handles = await Promise.all([0, 1].map(() => connect(server.url, { prefix, timeout: "60s" })));
  });
  afterEach(() => server.command("CONFIG", "SET", "maxmemory", "0"));
  afterAll(async () => {
    await Promise.all(handles.map((hf) => hf.close()));
    await server.stop();
  });
  const fill = (): Promise<unknown> => server.command("CONFIG", "SET", "maxmemory", "1");

  it("the lease of a load under way is renewed, and waited for, and its value is kept once there is room", async () => {
    const [a, b] = handles.map((hf) => hf.cache<number>("c", { loadLease: 300, loadTimeout: "10m" }));
    const [begun, source] = [new Deferred<undefined>(), new Deferred<number>()];
    const first = a!.getOrSet("k", () => {
      begun.resolve(undefined);
      return source.promise;
    });
    await begun.promise;
    await fill();
    let loads = 0;
    const second = b!.getOrSet("k", () => (loads += 1));
    await until("the other process waits", () => Promise.resolve(b!.stats().waited === 1));
    const [key] = (await server.command("KEYS", "*:load:*")) as [string];
    // Each time it has more left than before it was renewed; it would have ended long since.
    for (let renewed = 0; renewed < 4; renewed += 1) {
      const left = Number(await server.command("PTTL", key));
      await until("a renewal", async () => Number(await server.command("PTTL", key)) > left);
    }
    await server.command("CONFIG", "SET", "maxmemory", "0");
    source.resolve(42);
    expect(await Promise.all([first, second])).toEqual([42, 42]);
    expect(loads).toBe(0);
  });

  it("waiters for a value that cannot be kept load it as soon as that is known", async () => {
    const [a, b] = handles.map((hf) => hf.cache<number>("c", { loadLease: "1h", loadTimeout: "10m" }));
    const [begun, source] = [new Deferred<undefined>(), new Deferred<number>()];
    const first = a!.getOrSet("unkept", () => {
      begun.resolve(undefined);
      return source.promise;
    });
    await begun.promise;
    const second = b!.getOrSet("unkept", () => 2);
    await until("the other process waits", () => Promise.resolve(b!.stats().waited === 1));
    await fill();
    source.resolve(1);
    expect(await Promise.all([first, second])).toEqual([1, 2]);
  });

  it("a miss loads once per process, and keeps nothing", async () => {
    await fill();
    let loads = 0;
    const askTwice = async (hf: Holdfast): Promise<void> => {
      const cache = hf.cache<number>("c");
      const load = (): number => (loads += 1);
      const [one, other] = await Promise.all([cache.getOrSet("miss", load), cache.getOrSet("miss", load)]);
      expect(one).toBe(other);
    };
    await Promise.all(handles.map(askTwice));
    expect(loads).toBe(2);
    expect(await handles[0]!.cache<number>("c").get("miss")).toBeUndefined();
  });
});
