/**
 * Locks that somebody else ends: resumed in another process, released by force.
 * What could go wrong, and the test for each:
 * - two go on with one hold ................................... "goes on in another process", "one of many"
 * - the former holder does not learn of it ..................... "at its next renewal", "at once, once its token was read"
 * - its fence is not below the new one ......................... "goes on in another process", "ends the hold"
 * - what the former holder does afterwards hurts the new one ..... the same
 * - a lost hold is resumed ..................................... "says how it was lost"
 * - the waiters are forgotten .................................. "keeps its waiters", "hands over to the first waiter"
 * - a shared hold is half handed on ............................ "refuses a shared lock", "ends all holds of an owner"
 * - an evicted key leaves a lock that nobody can free ............ "whose key was evicted"
 * - full memory ................................................ "while memory is full"
 * - a lost answer: resumed twice, the next holder ended as well, a release that lies ... "the answer ... is lost"
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { freshName, LockFixture, lossOf, taken, waitersOf } from "../../test/support/lock-fixture.ts";
import { type Proxy, startProxy } from "../../test/support/proxy.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import { runScript } from "../core/script/run.ts";
import type { Holdfast } from "../holdfast.ts";
import type { HeldLock } from "./held-lock.ts";
import type { LockOptions } from "./options.ts";
import { release } from "./scripts.gen.ts";

async function resumed(of: Holdfast, name: string, token: string, options?: LockOptions): Promise<HeldLock> {
  const result = await of.lock(name, options).resume(token);
  if (result.status !== "ok") throw new Error(`${name} was ${result.status}`);
  return result.lock;
}

/** Its token, without reading it: so nothing listens for a takeover. */
function tokenFor({ fence, owner }: HeldLock): string {
  return `${fence}.${owner}`;
}

describe.each(backends())("taking over locks [$name]", (backend) => {
  const fixture = new LockFixture(backend);
  let hf: Holdfast;
  let other: Holdfast;

  beforeAll(() => {
    ({ hf, other } = fixture);
  });

  describe("resume", () => {
    it("goes on in another process, with a higher fence and another token; the former one's release says stolen", async () => {
      const name = freshName();
      const former = await taken(hf, name, { ttl: "1h" });
      const { token } = former;
      const lock = await resumed(other, name, token);
      expect(lock.fence).toBeGreaterThan(former.fence);
      expect(lock.token).not.toBe(token);
      expect(await former.release()).toEqual({ status: "stolen" });
      expect(await other.lock(name).info()).toMatchObject({ owner: lock.owner, fence: lock.fence });
      expect(lock.held).toBe(true);
      expect(await lock.release()).toEqual({ status: "ok" });
      expect(await hf.lock(name).info()).toBeUndefined();
      expect((await taken(hf, name)).fence).toBeGreaterThan(lock.fence);
    });

    it("the former holder's signal aborts at its next renewal", async () => {
      const name = freshName();
      const former = await taken(hf, name, { ttl: 900 });
      const lost = lossOf(former);
      const lock = await resumed(other, name, tokenFor(former), { ttl: "1h" });
      expect(await lost).toMatchObject({ code: "LEASE_LOST", reason: "stolen" });
      await lock.release();
    });

    it("and at once, once its token was read", async () => {
      const name = freshName();
      const former = await taken(hf, name, { ttl: "1h" });
      const lost = lossOf(former);
      const lock = await resumed(other, name, former.token);
      expect(await lost).toMatchObject({ reason: "stolen" });
      expect(await former.release()).toEqual({ status: "stolen" });
      const again = lossOf(lock);
      expect(lock.token).toBe(lock.token);
      const last = await resumed(hf, name, lock.token);
      expect(await again).toMatchObject({ reason: "stolen" });
      await last.release();
    });

    it("one of many goes on, and the others learn that it was stolen", async () => {
      const name = freshName();
      const { token } = await taken(hf, name, { ttl: "1h" });
      const results = await Promise.all([hf, other, hf, other].map((of) => of.lock(name).resume(token)));
      expect(results.map(({ status }) => status).toSorted()).toEqual(["ok", "stolen", "stolen", "stolen"]);
      for (const result of results) if (result.status === "ok") await result.lock.release();
    });

    it("is renewed there, for its own ttl", async () => {
      const name = freshName();
      const { token } = await taken(hf, name, { ttl: "1h" });
      const lock = await resumed(other, name, token, { ttl: 900 });
      expect((await hf.lock(name).info())!.ttlMs).toBeLessThanOrEqual(900);
      expect(lock.remainingMs).toBeLessThanOrEqual(900);
      const first = lock.remainingMs;
      await until("a renewal", () => lock.remainingMs > first - 300 + 1 && lock.remainingMs > 600);
      expect(await lock.release()).toEqual({ status: "ok" });
    });

    it("says how it was lost: released, or taken by another", async () => {
      const name = freshName();
      const former = await taken(hf, name);
      const { token } = former;
      await former.release();
      expect(await other.lock(name).resume(token)).toEqual({ status: "expired" });
      const next = await taken(hf, name);
      expect(await other.lock(name).resume(token)).toEqual({ status: "stolen" });
      expect(await next.release()).toEqual({ status: "ok" });
      expect(await other.lock(freshName()).resume(token)).toEqual({ status: "expired" });
    });

    it("keeps its waiters, who look again when it ends earlier than they have seen", async () => {
      const name = freshName();
      const former = await taken(hf, name, { ttl: "1h", renew: false });
      const waiting = hf.lock(name).acquire({ wait: "25s" });
      await waitersOf(hf, name, 1);
      const lock = await resumed(other, name, tokenFor(former), { ttl: 300, renew: false });
      const next = await waiting;
      expect(next.fence).toBeGreaterThan(lock.fence);
      await next.release();
    });

    it("hands over to them when it is released", async () => {
      const name = freshName();
      const former = await taken(hf, name, { ttl: "1h" });
      const waiting = hf.lock(name).acquire();
      await waitersOf(hf, name, 1);
      const lock = await resumed(other, name, tokenFor(former));
      expect(await lock.release()).toEqual({ status: "ok" });
      expect(await (await waiting).release()).toEqual({ status: "ok" });
    });

    it("refuses a shared lock, and what is no token, which no error shows", async () => {
      const name = freshName();
      const shared = await taken(hf, name, { owner: "job" });
      const refusal = expect.objectContaining({ code: "UNSUPPORTED", key: name });
      expect(() => shared.token).toThrow(refusal);
      await expect(hf.lock(name, { owner: "job" }).resume(tokenFor(await taken(hf, freshName())))).rejects.toThrow(
        /acquire it with the same `owner`/,
      );
      expect(await hf.lock(name).resume(`${shared.fence}.00000000-0000-4000-8000-000000000000`)).toEqual({
        status: "stolen",
      });
      for (const bad of ["", "s3cret", `${2 ** 60}.00000000-0000-4000-8000-000000000000`, 5, undefined]) {
        const error: unknown = await hf
          .lock(name)
          .resume(bad as string)
          .catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(InvalidArgumentError);
        expect(error).toMatchObject({ field: "token", op: "lock.resume" });
        expect(String(error)).not.toContain("s3cret");
      }
      await shared.release();
    });
  });

  describe("forceRelease", () => {
    it("ends the hold, says whose it was and raises the fence; its release says expired", async () => {
      const name = freshName();
      const held = await taken(hf, name, { ttl: "1h" });
      const result = await other.lock(name).forceRelease();
      expect(result).toMatchObject({ status: "ok", owner: held.owner, fence: held.fence });
      const { raisedTo } = result as { raisedTo: number };
      expect(raisedTo).toBeGreaterThan(held.fence);
      expect(await hf.lock(name).info()).toBeUndefined();
      expect(await other.lock(name).forceRelease()).toEqual({ status: "missing" });
      expect(await held.release()).toEqual({ status: "expired" });
      const next = await taken(hf, name);
      expect(next.fence).toBeGreaterThan(raisedTo);
      await next.release();
    });

    it("the former holder's signal aborts at its next renewal, at once if its token was read", async () => {
      const [slow, quick] = [freshName(), freshName()];
      const renewed = await taken(hf, slow, { ttl: 900 });
      const listening = await taken(hf, quick, { ttl: "1h" });
      expect(listening.token).not.toBe("");
      const losses = [lossOf(renewed), lossOf(listening)];
      await Promise.all([slow, quick].map((name) => other.lock(name).forceRelease()));
      expect(await Promise.all(losses)).toMatchObject([{ reason: "expired" }, { reason: "expired" }]);
    });

    it("hands over to the first waiter; the former holder's release says stolen, also where it is sent again", async () => {
      const name = freshName();
      const held = await taken(hf, name, { ttl: "1h" });
      const waiting = other.lock(name).acquire();
      await waitersOf(hf, name, 1);
      const result = await hf.lock(name).forceRelease();
      const next = await waiting;
      expect(next.fence).toBeGreaterThan((result as { raisedTo: number }).raisedTo);
      // As a release whose first answer was lost; without the memory of who was ended it would be unclear.
      const args = { owner: "", token: held.owner, number: held.fence, abandon: false, repeated: true };
      const more = { handMs: 0, lateCopies: false, wakeChannel: `${fixture.prefix}:wake:all` };
      const call = { op: "test" };
      expect(await runScript(hf.driver, release, fixture.keysOf(name), { ...args, ...more }, call)).toEqual({
        status: "stolen",
      });
      expect(await held.release()).toEqual({ status: "stolen" });
      expect(await next.release()).toEqual({ status: "ok" });
    });

    it("ends all holds of an owner", async () => {
      const name = freshName();
      const holds = [await taken(hf, name, { owner: "job" }), await taken(other, name, { owner: "job" })];
      const released = await taken(hf, name, { owner: "job" });
      expect(await released.release()).toEqual({ status: "ok" });
      expect(await hf.lock(name).forceRelease()).toMatchObject({ status: "ok", owner: "job", fence: holds[0]!.fence });
      const next = await taken(hf, name);
      for (const held of holds) expect(await held.release()).toEqual({ status: "stolen" });
      expect(await next.release()).toEqual({ status: "ok" });
    });

    it("frees a lock whose key was evicted, or all of whose keys were", async () => {
      const name = freshName();
      const held = await taken(hf, name, { ttl: "1h" });
      await fixture.send("DEL", fixture.keysOf(name).lock);
      expect(await other.lock(name).tryAcquire()).toMatchObject({ status: "busy" });
      expect(await other.lock(name).forceRelease()).toMatchObject({
        status: "ok",
        owner: undefined,
        fence: held.fence,
      });
      const next = await taken(other, name);
      await fixture.send("DEL", fixture.keysOf(name).fence);
      expect(await other.lock(name).forceRelease()).toMatchObject({ status: "ok", fence: next.fence });
      const last = await taken(other, name);
      await fixture.send("DEL", fixture.keysOf(name).broken);
      expect(await next.release()).toEqual({ status: "stolen" });
      expect(await last.release()).toEqual({ status: "ok" });
    });

    it("leaves no key that does not expire", async () => {
      const name = freshName();
      const former = await taken(hf, name);
      await resumed(other, name, tokenFor(former));
      await hf.lock(name).forceRelease();
      const keys = Object.values(fixture.keysOf(name));
      const ttls = await Promise.all(keys.map((key) => fixture.send("PTTL", key)));
      expect(ttls.filter((ttl) => ttl === -1)).toEqual([]);
      expect(await fixture.send("EXISTS", fixture.keysOf(name).broken)).toBe(1);
    });
  });
});

describe("taking over locks under faults [standalone]", () => {
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
    const options = { prefix: freshName().slice(0, 20), timeout: "10s" } as const;
    [hf, behindProxy] = await Promise.all([connect(server.url, options), connect(proxy.url, options)]);
    // The scripts are known to the server, so that each call is one reply.
    const warm = await taken(behindProxy, "warm");
    await (await resumed(behindProxy, "warm", tokenFor(warm))).release();
    await behindProxy.lock("warm").forceRelease();
    await warm.release();
  });
  afterEach(async () => {
    await proxy.heal();
    await server.command("CONFIG", "SET", "maxmemory", "0");
    await Promise.all([hf.close(), behindProxy.close()]);
  });

  it("the answer to a resume is lost: its repeat has the same grant", async () => {
    const former = await taken(hf, "a", { ttl: "1h" });
    proxy.dropReplies();
    const executed = proxy.sawReply("resumed");
    const resuming = resumed(behindProxy, "a", tokenFor(former));
    await executed;
    const { fence } = (await hf.lock("a").info())!;
    await proxy.heal();
    const lock = await resuming;
    expect(lock.fence).toBe(fence);
    expect(await lock.release()).toEqual({ status: "ok" });
  });

  it("the answer to a release by force is lost: its repeat ends nobody else's hold, and says whose it was", async () => {
    const held = await taken(hf, "a", { ttl: "1h" });
    proxy.dropReplies();
    const executed = proxy.sawReply("ended");
    const forced = behindProxy.lock("a").forceRelease();
    await executed;
    const next = await taken(hf, "a", { ttl: "1h" });
    await proxy.heal();
    expect(await forced).toMatchObject({ status: "ok", owner: held.owner, fence: held.fence });
    expect(await next.release()).toEqual({ status: "ok" });
  });

  it("the same where nobody held it", async () => {
    proxy.dropReplies();
    const executed = proxy.sawReply("free");
    const forced = behindProxy.lock("a").forceRelease();
    await executed;
    const next = await taken(hf, "a", { ttl: "1h" });
    await proxy.heal();
    expect(await forced).toEqual({ status: "missing" });
    expect(await next.release()).toEqual({ status: "ok" });
  });

  it("the answer to the former holder's release is lost: it is no success", async () => {
    const former = await taken(behindProxy, "a", { ttl: "1h" });
    const lock = await resumed(hf, "a", tokenFor(former));
    await lock.release();
    proxy.dropReplies();
    // The first script that is asked, which passes it on.
    const executed = proxy.sawReply("unclear");
    const releasing = former.release();
    await executed;
    await proxy.heal();
    expect(await releasing).toEqual({ status: "expired" });
  });

  it("while memory is full both work", async () => {
    const former = await taken(hf, "a", { ttl: "1h" });
    await server.command("CONFIG", "SET", "maxmemory", "1");
    const lock = await resumed(hf, "a", tokenFor(former));
    expect(await hf.lock("a").forceRelease()).toMatchObject({ status: "ok", owner: lock.owner });
    expect(await hf.lock("a").forceRelease()).toEqual({ status: "missing" });
  });
});
