/**
 * Presence when something breaks, on servers of this file's own.
 * What could go wrong, and the test for each:
 * - a lost answer makes a member join twice, or not at all ............ "the answer to a join is lost"
 * - the repeat of a leave throws out who has joined since ............. "the answer to a leave is lost"
 * - a join that was given up is a member all the same ................ "a join that is given up"
 * - a member believes that it is there while the server is away ........ "the server is killed"
 * - who watches is not told, or is told again and again ............... the same
 * - nobody comes back when the server has forgotten all ............... the same, and "FLUSHALL"
 * - memory is full: members are lost, or cannot leave ................. "memory is full"
 * - a change is missed while the connection is broken ................. "a connection that breaks"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { losingAnswer, losingRequest } from "../../test/support/lost-answer.ts";
import { type Proxy, startProxy } from "../../test/support/proxy.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { PresenceEvent, PresenceEvents } from "../index.ts";
import { change } from "./scripts.gen.ts";

const SLOW = { timeout: 120_000 };

describe("presence under faults", () => {
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
    const options = { prefix: `test-${randomUUID()}`, timeout: "10s" } as const;
    [hf, behindProxy] = await Promise.all([connect(server.url, options), connect(proxy.url, options)]);
  });
  afterEach(async () => {
    await proxy.heal();
    await Promise.all([hf.close(), behindProxy.close()]);
  });

  const next = async <M>(watch: PresenceEvents<M>): Promise<PresenceEvent<M>> => (await watch.next()).value!;

  it("the answer to a join is lost: it has joined once", SLOW, async () => {
    await using watch = hf.presence("r").watch();
    await next(watch);
    const me = await losingAnswer(proxy, change, () => behindProxy.presence("r").join("ada"));
    expect(me.status).toBe("ok");
    expect(await hf.presence("r").count()).toEqual({ users: 1, devices: 1 });
    expect(await next(watch)).toMatchObject({ type: "change", joined: [{ user: "ada" }] });
    await using _ = await hf.presence("r").join("bob");
    expect(await next(watch)).toMatchObject({ type: "change", joined: [{ user: "bob" }], updated: [] });
  });

  it("the answer to a leave is lost, and the device has joined elsewhere since: it stays", SLOW, async () => {
    const me = await behindProxy.presence("r").join("ada", { device: "d" });
    if (me.status !== "ok") throw new Error(me.status);
    const left = losingAnswer(
      proxy,
      change,
      () => me.leave({ grace: 0 }),
      () => hf.presence("r").join("ada", { device: "d" }),
    );
    expect(await left).toEqual({ status: "ok" });
    expect(await hf.presence("r").count()).toEqual({ users: 1, devices: 1 });
  });

  it("a request that is lost is sent again, and does not take a device back", SLOW, async () => {
    const me = await behindProxy.presence<number>("r").join("ada", { device: "d", meta: 1 });
    if (me.status !== "ok") throw new Error(me.status);
    const updated = losingRequest(
      proxy,
      change,
      () => me.update(2),
      () => hf.presence<number>("r").join("ada", { device: "d", meta: 3 }),
    );
    expect(await updated).toEqual({ status: "stolen" });
    expect(await hf.presence<number>("r").get("ada")).toMatchObject({ devices: [{ meta: 3 }] });
  });

  it("a join that is given up because its answer was lost is taken back", SLOW, async () => {
    const room = behindProxy.presence("r", { timeout: "1s", ttl: "1h" });
    let joining: Promise<unknown> = Promise.resolve();
    const given = losingAnswer(
      proxy,
      change,
      () => (joining = room.join("ada")),
      async () => {
        await until("the member", () => hf.presence("r").has("ada"));
        await expect(joining).rejects.toMatchObject({ retryable: true });
      },
    );
    await expect(given).rejects.toBeDefined();
    await until("its leave", async () => !(await hf.presence("r").has("ada")));
  });

  it("a connection that breaks: what happened meanwhile is in the reset", SLOW, async () => {
    await using watch = behindProxy.presence("r").watch();
    expect(await next(watch)).toMatchObject({ type: "snapshot", members: [] });
    const after = watch.next();
    proxy.reset();
    await hf.presence("r").join("ada");
    let event = (await after).value!;
    while (event.type === "stale") event = await next(watch);
    if (event.type === "reset" && event.members.length === 0) event = await next(watch);
    const seen = event.type === "change" ? event.joined : event.type === "reset" ? event.members : [];
    expect(seen).toMatchObject([{ user: "ada" }]);
  });

  it("the server is killed: out when the ttl is over, stale once, and back when it is", SLOW, async () => {
    const changes: boolean[] = [];
    const room = hf.presence("r", { ttl: "2s", timeout: "1s" });
    const me = await room.join("ada", { device: "d", onChange: (present) => changes.push(present) });
    const other = await room.join("bob", { rejoin: false });
    if (me.status !== "ok" || other.status !== "ok") throw new Error("full");
    await using watch = room.watch();
    expect(await next(watch)).toMatchObject({ type: "snapshot", members: [{ user: "ada" }, { user: "bob" }] });
    await server.kill();
    expect(await next(watch)).toEqual({ type: "stale" });
    await expect(room.join("eve")).rejects.toMatchObject({ retryable: true });
    await until("the loss", () => other.signal.aborted);
    expect(other.signal.reason).toMatchObject({ code: "LEASE_LOST", reason: "expired" });
    expect(me.present).toBe(false);
    expect(me.signal.aborted).toBe(false);
    const back = watch.next();
    await server.restart();
    await until("it is back", () => me.present);
    expect(changes).toEqual([false, true]);
    expect((await back).value).toMatchObject({ type: "reset" });
    // A join that was given up may be carried out, and is taken back.
    await until("nobody else", async () => (await room.count()).devices === 1);
    expect(await room.get("ada")).toMatchObject({ devices: [{ device: "d" }] });
  });

  it("FLUSHALL: all are called, and are back long before a heartbeat", SLOW, async () => {
    const [mine, theirs] = [hf.presence("r", { ttl: "1h" }), behindProxy.presence("r", { ttl: "1h" })];
    await Promise.all([mine.join("ada"), theirs.join("bob"), theirs.join("bob")]);
    await using watch = mine.watch();
    expect(await next(watch)).toMatchObject({ type: "snapshot", members: [{ user: "ada" }, { user: "bob" }] });
    await server.command("FLUSHALL");
    // Whoever comes to the room first finds it; here a member, who joins.
    await mine.join("eve");
    await until("all of them", async () => (await theirs.count()).devices === 4);
    let seen = new Set<string>();
    while (!["ada", "bob", "eve"].every((user) => seen.has(user))) {
      const event = await next(watch);
      if (event.type === "reset") seen = new Set(event.members.map(({ user }) => user));
      if (event.type === "change") for (const { user } of event.joined) seen.add(user);
    }
  });

  it("memory is full: joins are refused, heartbeats and leaves are not", SLOW, async () => {
    const room = hf.presence("r", { ttl: "900ms", grace: 0 });
    const changes: boolean[] = [];
    const [me, other] = await Promise.all([
      room.join("ada", { onChange: (present) => changes.push(present) }),
      room.join("bob"),
    ]);
    if (me.status !== "ok" || other.status !== "ok") throw new Error("full");
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      await expect(room.join("eve")).rejects.toMatchObject({ code: "SERVER_FULL" });
      const since = performance.now();
      await until("three ttls", () => performance.now() - since > 2_700);
      expect(changes).toEqual([]);
      expect(await other.leave()).toEqual({ status: "ok" });
      expect(await room.count()).toEqual({ users: 1, devices: 1 });
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
    expect(await room.join("eve")).toMatchObject({ status: "ok" });
  });
});
