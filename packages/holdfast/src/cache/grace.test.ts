/**
 * Values past their time, kept for their grace, and loads ahead of it.
 *
 * What could go wrong, and the test for each:
 * - a failed load rejects though there is a value ............................... "a load that fails"
 * - each caller of a source that is down tries it again ......................... the same: `graceBackoff`
 * - a slow load holds its callers though there is a value ....................... "a slow load"
 * - what is past its time is served as if it were not ........................... "get finds nothing"
 * - a value that was deleted or invalidated is served in its grace .............. "what was invalidated"
 * - the server's clock was wrong when it was stored, and is right now, or the other way ... "clock was"
 * - `expire` leaves it as it is, or removes it though it has grace .............. "expire"
 * - a value is loaded again only when its time is over .......................... "ahead of its end"
 * - a refresh is answered from the cache, or fails though there is a value ....... "refresh"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { Deferred } from "../base/deferred.ts";

const PATIENT = { timeout: "1m", loadLease: "10m", loadTimeout: "10m" } as const;
const SOON = { timeout: 30_000, interval: 5 };
const down = (): never => {
  throw new Error("the source is down");
};

describe.each(backends())("a value past its time [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });
  const pair = (more = {}) => {
    const name = randomName();
    return [two.a, two.b].map((hf) => hf.cache<string>(name, { ...PATIENT, grace: "1h", ...more }));
  };

  it("is served by a load that fails, and the source is left alone for graceBackoff", async () => {
    const [here, there] = pair({ graceBackoff: "1h" });
    await here!.set("a", "old");
    expect(await here!.expire("a")).toBe(true);
    expect(await here!.get("a")).toBeUndefined();
    expect(await here!.getOrSet("a", down)).toBe("old");
    expect(here!.stats()).toMatchObject({ stale: 1, loadErrors: 1 });
    // Nobody asks the source again.
    await expect.poll(() => there!.getOrSet("a", down).then(() => there!.stats().hits > 0), SOON).toBe(true);
    const { loadErrors } = there!.stats();
    expect(await there!.getOrSet("a", () => "new")).toBe("old");
    expect(there!.stats().loadErrors).toBe(loadErrors);
    await here!.delete("a");
    await expect(here!.getOrSet("a", down)).rejects.toThrow("the source is down");
  });

  it("is served while a slow load goes on, after softTimeout, and the load is for the next ones", async () => {
    const [here, there] = pair({ softTimeout: 0 });
    await here!.set("a", "old");
    await here!.expire("a");
    const source = new Deferred<string>();
    expect(await here!.getOrSet("a", () => source.promise)).toBe("old");
    // Another process does not wait for it either.
    expect(await there!.getOrSet("a", () => "never")).toBe("old");
    source.resolve("new");
    await expect.poll(() => there!.get("a"), SOON).toBe("new");
    expect(there!.stats().loads).toBe(0);
    const [patient] = pair({ softTimeout: 20 });
    await patient!.set("a", "old");
    await patient!.expire("a");
    expect(await patient!.getOrSet("a", () => new Promise<string>(() => undefined))).toBe("old");
  });

  it("is loaded again once its time is over, without grace or with it", async () => {
    for (const grace of [0, "1h"] as const) {
      const [here, there] = pair({ grace });
      await here!.set("a", "old", { ttl: 1 });
      await expect.poll(() => there!.get("a"), SOON).toBeUndefined();
      expect(await there!.getOrSet("a", () => "new")).toBe("new");
      expect(await here!.get("a")).toBe("new");
    }
  });

  it("what was invalidated or deleted is not served in its grace", async () => {
    const [here] = pair();
    await here!.set("a", "old", { tags: ["t"] });
    await here!.set("b", "old");
    await here!.invalidate({ tags: ["t"] });
    await expect(here!.getOrSet("a", down)).rejects.toThrow("the source is down");
    await here!.clear();
    await expect(here!.getOrSet("b", down)).rejects.toThrow("the source is down");
  });

  it("expire ends the time, removes what has no grace, and supersedes a load under way", async () => {
    const [here] = pair();
    const without = two.a.cache<string>(randomName(), PATIENT);
    await without.set("a", "old");
    expect([await without.expire("a"), await without.expire("a"), await here!.expire("none")]).toEqual([
      true,
      false,
      false,
    ]);
    const [begun, source] = [new Deferred<undefined>(), new Deferred<string>()];
    const first = here!.getOrSet("a", () => (begun.resolve(undefined), source.promise));
    await begun.promise;
    await here!.expire("a");
    source.resolve("read before it");
    await first;
    expect(await here!.get("a")).toBeUndefined();
  });

  it("is loaded ahead of its end, in the background, by one", async () => {
    const [here] = pair({ refreshAhead: 0.000_001, ttl: "1h", jitter: 0 });
    const loads = ["first", "second"];
    expect(await here!.getOrSet("a", () => loads.shift()!)).toBe("first");
    await expect.poll(() => here!.getOrSet("a", () => loads.shift() ?? "too much"), SOON).not.toBe("first");
    expect(here!.stats().refreshes).toBeGreaterThan(0);
    const [never] = pair({ refreshAhead: 0.99, ttl: "10h", jitter: 0 });
    await never!.getOrSet("a", () => "first");
    for (let at = 0; at < 20; at += 1) expect(await never!.getOrSet("a", () => "second")).toBe("first");
    const [chance] = pair({ refreshAhead: "xfetch", ttl: "10h" });
    await chance!.getOrSet("a", () => "first");
    expect(await chance!.getOrSet("a", () => "second")).toBe("first");
  });

  it("a refresh loads through the lease, and serves what there is if that fails", async () => {
    const [here, there] = pair();
    await here!.set("a", "old");
    expect(await there!.getOrSet("a", () => "new", { refresh: true })).toBe("new");
    expect(await here!.get("a")).toBe("new");
    expect(await here!.getOrSet("a", down, { refresh: true })).toBe("new");
    await expect(here!.getOrSet("b", down, { refresh: true })).rejects.toThrow("the source is down");
    expect(await here!.getOrSet("c", () => "loaded", { refresh: true })).toBe("loaded");
  });

  it("a loader sets the time, the tags and the version of what it loads, and leaves out what should not be kept", async () => {
    const [here, there] = pair();
    await here!.getOrSet("short", (context) => ((context.ttl = 1), "old"));
    await expect.poll(() => there!.get("short"), SOON).toBeUndefined();
    expect(await here!.getOrSet("skipped", (context) => (context.skip(), "for you"))).toBe("for you");
    expect(await there!.get("skipped")).toBeUndefined();
    await expect(here!.getOrSet("bad", (context) => ((context.ttl = "soon" as never), "x"))).rejects.toThrow(
      /ttl: expected a duration/,
    );
  });

  it("a loader that finds nothing new renews the value without storing it again", async () => {
    const [here, there] = pair();
    await here!.getOrSet("a", (context) => ((context.etag = '"1"'), "value"));
    await there!.expire("a");
    const seen: unknown[] = [];
    const again = await there!.getOrSet("a", (context) => {
      seen.push(context.etag, context.previous);
      return context.notModified();
    });
    expect([again, seen]).toEqual(["value", ['"1"', "value"]]);
    expect(await here!.get("a")).toBe("value");
    await expect(here!.getOrSet("none", (context) => context.notModified())).rejects.toMatchObject({
      code: "CONFLICT",
    });
  });

  it("runs no more loads at a time than maxLoads", async () => {
    const [here] = pair({ maxLoads: 2 });
    const sources = Array.from({ length: 6 }, () => new Deferred<string>());
    let [running, most] = [0, 0];
    const loads = sources.map((source, at) =>
      here!.getOrSet(`${at}`, async () => {
        most = Math.max(most, (running += 1));
        const value = await source.promise;
        running -= 1;
        return value;
      }),
    );
    await expect.poll(() => running, SOON).toBe(2);
    for (const source of sources) source.resolve("loaded");
    expect(await Promise.all(loads)).toEqual(sources.map(() => "loaded"));
    expect(most).toBe(2);
  });

  /** As if the server's clock had been ahead by so much when all this was stored. */
  async function shift(cache: { readonly name: string }, id: string, ms: number): Promise<void> {
    const [key, state] = [
      `${two.prefix}:cache:${cache.name}:{${id}}`,
      `${two.prefix}:versions:${cache.name}:{${cache.name}}`,
    ];
    const entry = (await two.send("GET", key)) as Buffer;
    entry.writeUIntBE(entry.readUIntBE(1, 6) + ms, 1, 6);
    entry.writeUIntBE(entry.readUIntBE(7, 6) + ms * 100, 7, 6);
    const keptMs = Number(await two.send("PTTL", key)) + ms;
    const call = { op: "test", class: "unsafe" } as const;
    await two.a.driver.send(["SET", key, entry, "PX", String(keptMs)], call, key);
    for (const member of ["s", "c"]) {
      const score = Number(String(await two.send("ZSCORE", state, member))) + ms * 100;
      await two.send("ZADD", state, String(score), member);
    }
  }

  it.each([3_600_000, -3_600_000])(
    "a value that was stored when the server's clock was wrong by %i ms is served by its time, and never once it was invalidated",
    async (ms) => {
      const [here] = pair({ ttl: "30m", grace: "2h", jitter: 0 });
      const isLate = ms < 0;
      await here!.set("a", "old", { tags: ["t"] });
      await shift(here!, "a", ms);
      // Of processes that have seen nothing of it as it was.
      const handles = [await two.another(), await two.another()];
      const more = { ...PATIENT, grace: "2h", graceBackoff: 1 } as const;
      const [first, second] = handles.map((hf) => hf.cache<string>(here!.name, more));
      expect(await first!.get("a")).toBe(isLate ? undefined : "old");
      expect(await first!.getOrSet("a", down)).toBe("old");
      await second!.invalidate({ tags: ["t"] });
      await expect(first!.getOrSet("a", down)).rejects.toThrow("the source is down");
      expect(await first!.getOrSet("a", () => "new", { tags: ["t"] })).toBe("new");
      expect(await second!.get("a")).toBe("new");
      await second!.clear();
      expect(await first!.get("a")).toBeUndefined();
      await expect(second!.getOrSet("a", down)).rejects.toThrow("the source is down");
      await first!.set("a", "newer");
      await first!.expire("a");
      expect([await second!.get("a"), await second!.getOrSet("a", down)]).toEqual([undefined, "newer"]);
    },
  );
});
