/**
 * A server that answers but takes no writes: memory full, too few replicas, snapshots that fail.
 *
 * What could go wrong, and the test for each:
 * - a read fails because of a write that it could do without .......... "every read answers"
 * - a read waits for its deadline, as the write is repeated ........... the same: the deadline is longer than the test's
 * - a value that is not cached is not loaded, or only at the deadline .. "getOrSet loads"
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "../src/index.ts";
import { REFUSALS } from "./support/refusals.ts";
import { type Standalone, startStandalone } from "./support/servers.ts";
import { randomName } from "./support/two-handles.ts";

async function gathered<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of pages) all.push(each);
  return all;
}

describe.each(REFUSALS)("while a server takes no writes ($name) [standalone]", (refusal) => {
  let server: Standalone;
  let hf: Holdfast;
  beforeAll(async () => {
    server = await startStandalone({ config: { "enable-protected-configs": "local" } });
    // Longer than any test here may take.
    hf = await connect(server.url, { prefix: randomName(), timeout: "10m" });
  });
  afterAll(async () => {
    await refusal.end(server);
    await hf?.close();
    await server?.stop();
  });

  async function reads(): Promise<Record<string, () => Promise<unknown>>> {
    const cache = hf.cache("c");
    const records = hf.records<{ n: number }>("r");
    const sessions = hf.sessions<{ n: number }>({ touchAfter: 0 });
    const [limiter, counter] = [hf.limiter("l", { limit: 5, window: "1h" }), hf.counter("n")];
    const [geo, tags, board] = [hf.geo("g"), hf.tags("t"), hf.leaderboard("b", { ties: "dense" })];
    const [queue, fenced] = [hf.queue("q"), hf.fenced("f")];
    await cache.set("a", 1);
    await records.set("a", { n: 1 });
    const created = await sessions.create({ user: "ada", data: { n: 1 } });
    const id = created.status === "ok" ? created.id : "";
    await limiter.consume("a");
    await counter.increment("a");
    await geo.addMany([
      ["x", { lon: 1, lat: 1 }],
      ["y", { lon: 2, lat: 2 }],
    ]);
    await tags.set("a", ["t"]);
    await board.set("a", 1);
    const { id: job } = await queue.add(1);
    await fenced.set("a", 1, 5);
    await hf.lock("k").acquire();
    const once = hf.idempotency("o");
    await once.run("a", () => 1);
    return {
      "cache.get": () => cache.get("a"),
      "cache.getMany": () => cache.getMany(["a", "none"]),
      "cache.getOrSet": () => cache.getOrSet("a", () => 2),
      "records.get": () => records.get("a"),
      "records.getMany": () => records.getMany(["a", "none"]),
      "records.has": () => records.has("a"),
      "sessions.get": async () => (await sessions.get(id))?.data,
      "sessions.list": async () => (await sessions.list("ada")).length,
      "limiter.peek": async () => (await limiter.peek("a")).remaining,
      "counter.get": () => counter.get("a"),
      "counter.getMany": () => counter.getMany(["a", "none"]),
      "geo.position": () => geo.position("x"),
      "geo.positions": () => geo.positions(["x"]),
      "geo.nearest": () => geo.nearest({ lon: 1, lat: 1 }),
      "geo.radius": () => geo.radius({ member: "x" }, { meters: 5 }),
      "geo.box": () => geo.box({ member: "x" }, { widthMeters: 5, heightMeters: 5 }),
      "geo.distance": () => geo.distance("x", "y"),
      "geo.size": () => geo.size(),
      "tags.of": () => tags.of("a"),
      "tags.find": () => tags.find({ any: ["t"] }),
      "tags.items": () => gathered(tags.items({ any: ["t"] })),
      "tags.count": () => tags.count("t"),
      "tags.counts": () => tags.counts(),
      "leaderboard.rank": () => board.rank("a"),
      "leaderboard.ranks": () => board.ranks(["a"]),
      "leaderboard.scores": () => board.scores(["a"]),
      "leaderboard.top": () => board.top(),
      "leaderboard.page": () => board.page(),
      "leaderboard.around": () => board.around("a"),
      "leaderboard.size": () => board.size(),
      "queue.get": async () => (await queue.get(job))?.state,
      "queue.counts": async () => (await queue.counts()).waiting,
      "queue.dead.page": () => queue.dead.page(),
      "fenced.get": () => fenced.get("a"),
      "idempotency.get": () => once.get("a"),
      "idempotency.run": async () => (await once.run("a", () => 2)).value,
      "lock.info": async () => (await hf.lock("k").info())?.fence,
      scan: async () => (await gathered(hf.scan("cache"))).length,
    };
  }

  it("every read answers as before, and getOrSet loads what is not there", async () => {
    const calls = Object.entries(await reads());
    const answers = (): Promise<[string, unknown][]> =>
      Promise.all(calls.map(async ([name, call]) => [name, await call()] as [string, unknown]));
    const before = await answers();
    await refusal.begin(server);
    expect(await answers()).toEqual(before);
    const cache = hf.cache("c");
    expect(await cache.getOrSet("none", () => "loaded")).toBe("loaded");
    // Nothing could be kept.
    expect(await cache.get("none")).toBeUndefined();
    expect(cache.stats().outages).toBe(1);
  });
});
