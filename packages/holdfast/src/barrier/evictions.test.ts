/**
 * A barrier has two keys, and a server with an eviction policy may drop either; so may a hand that means well. And a server may be away.
 * What could go wrong, and the test for each:
 * - who is inside is forgotten: one is told that all have left, or nobody can enter any more ... "evicted while all are inside"
 * - who has come is forgotten: those who wait hang ............................................ "evicted while they gather"
 * - one is inside for good while no server answers ............................................ "the server is away: inside"
 * - one that waits gives up though the server comes back in time ............................... "the server is away: outside"
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";

const SLOW = { timeout: 120_000 };
const MINUTE = { timeout: "1m" } as const;
const KEYS = ["", ":members"] as const;

describe.each(backends("standalone", "embedded"))("a barrier of which a key was evicted [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  const evict = (name: string, key: (typeof KEYS)[number]): Promise<unknown> =>
    handles.send("DEL", `${handles.prefix}:barrier:{${name}}${key}`);

  it.each(KEYS)(
    "evicted while all are inside: it is broken for all, and the next round is whole (%j)",
    SLOW,
    async (key) => {
      const name = randomName();
      const options = { parties: 2, ttl: "10s" } as const;
      const [mine, theirs] = [handles.a.barrier(name, options), handles.b.barrier(name, options)];
      const [first, second] = await Promise.all([mine.enter(MINUTE), theirs.enter(MINUTE)]);
      await evict(name, key);
      expect(await Promise.all([first.leave(MINUTE), second.leave(MINUTE)])).toEqual([
        { status: "broken" },
        { status: "broken" },
      ]);
      const again = await Promise.all([mine.enter(MINUTE), theirs.enter(MINUTE)]);
      expect(again[0].round).toBeGreaterThan(first.round);
      const ends = await Promise.all(again.map((pass) => pass.leave(MINUTE)));
      expect(ends).toEqual([{ status: "ok" }, { status: "ok" }]);
    },
  );

  it("evicted while all are inside, who never leave: others can enter all the same", SLOW, async () => {
    const name = randomName();
    const options = { parties: 1, ttl: "10s" } as const;
    const inside = await handles.a.barrier(name, options).enter(MINUTE);
    await evict(name, ":members");
    const next = await handles.b.barrier(name, options).enter(MINUTE);
    expect(next.round).toBeGreaterThan(inside.round);
    expect(await next.leave(MINUTE)).toEqual({ status: "ok" });
    expect(await inside.leave(MINUTE)).toEqual({ status: "broken" });
  });

  it.each(KEYS)("evicted while they gather: all enter (%j)", SLOW, async (key) => {
    const name = randomName();
    const options = { parties: 2, ttl: 3_000 };
    const waiting = handles.a.barrier(name, options).enter(MINUTE);
    const members = `${handles.prefix}:barrier:{${name}}:members`;
    await until("the first has come", async () => (await handles.send("ZCARD", members)) === 1);
    await evict(name, key);
    const passes = await Promise.all([waiting, handles.b.barrier(name, options).enter(MINUTE)]);
    expect(passes[0].round).toBe(passes[1].round);
    const ends = await Promise.all(passes.map((pass) => pass.leave(MINUTE)));
    expect(ends).toEqual([{ status: "ok" }, { status: "ok" }]);
  });
});

describe("barriers while the server is away", () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server?.stop());

  it(
    "the server is away: inside until its ttl is over, then the signal aborts, and leaving says that it broke",
    SLOW,
    async () => {
      await using hf = await connect(server.url, { prefix: randomName(), timeout: "10s" });
      const pass = await hf.barrier("b", { parties: 1, ttl: 1_500 }).enter(MINUTE);
      const lost = new Promise((resolve) => pass.signal.addEventListener("abort", resolve));
      await server.pause();
      const pausedAt = performance.now();
      await lost;
      // The server has counted from later on.
      await until("it is over there too", () => performance.now() - pausedAt > 1_600);
      server.resume();
      expect(await pass.leave(MINUTE)).toEqual({ status: "broken" });
    },
  );

  it("the server is away: outside they wait for it, and enter together", SLOW, async () => {
    await using hf = await connect(server.url, { prefix: randomName(), timeout: 300 });
    await (await hf.barrier("before", { parties: 1 }).enter(MINUTE)).leave(MINUTE);
    await server.pause();
    const barrier = hf.barrier("b", { parties: 2, ttl: "10s" });
    // The first of the three, and its last request is still on its way when it gives up: it is not to enter late with one of the others.
    const impatient = hf.barrier("b", { parties: 2, timeout: "30s" }).enter({ timeout: 900 });
    const entering = Promise.all([barrier.enter(MINUTE), barrier.enter(MINUTE)]);
    await expect(impatient).rejects.toMatchObject({ code: "TIMEOUT" });
    const gaveUpAt = performance.now();
    await until("that is over by the server's clock too", () => performance.now() - gaveUpAt > 1_000);
    server.resume();
    const passes = await entering;
    expect(passes[0].round).toBe(passes[1].round);
    const ends = await Promise.all(passes.map((pass) => pass.leave(MINUTE)));
    expect(ends).toEqual([{ status: "ok" }, { status: "ok" }]);
  });
});
