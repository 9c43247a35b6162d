// What could go wrong on real connections, and the test for each:
// - the answer to a tick is lost ........................ "ticks once where the answer is lost"
// - the answer to a change is lost ...................... "is set once where the answer is lost", "runNow adds once ..."
// - the server dies and comes back with its log ......... "goes on after the server was killed"
// - the server stands still ............................. "heals after the server stood still"
// - a process dies between finding and doing ............ "a ticker that dies leaves its tick to the others"
// - this process's clock is off ......................... "a process whose clock is a day off changes nothing"
// - the event loop of a ticker stands still ............. "makes up for what came due while its event loop stood still"
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { losingAnswer } from "../../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../../test/support/servers.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { schedulePut, scheduleRun, scheduleTick } from "../scripts.gen.ts";

const EVERY_TICK = { every: 100, payload: 1, missed: { catchUp: 1_000 } } as const;

describe("schedules under faults", () => {
  const prefix = `test-${randomUUID()}`;
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;

  beforeAll(async () => {
    server = await startStandalone({ persistence: true });
    proxy = await startProxy(server);
    const options = { prefix, timeout: "20s", pingInterval: "100ms", pingTimeout: "300ms" } as const;
    [hf, direct] = await Promise.all([connect(proxy.url, options), connect(server.url, { prefix })]);
  });
  afterEach(async () => {
    vi.useRealTimers();
    server.resume();
    await proxy.heal();
  });
  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  /** The ticks that have a job, in the order in which they were added. */
  const added = async (name: string): Promise<number[]> => {
    const ids = (await direct.command("LRANGE", `${prefix}:queue:{${name}}:normal`, 0, -1)) as Buffer[];
    return ids.map((id) => Number(String(id).split("@")[1]));
  };
  /** Those that are not in their place: missing or doubled before them. */
  const misplaced = async (name: string): Promise<number[]> => {
    const ticks = await added(name);
    return ticks.filter((tick, at) => tick !== ticks[0]! + at * 100);
  };

  it("ticks once where the answer is lost", async () => {
    const name = randomUUID();
    await direct.queue<number>(name).schedules.set("s", EVERY_TICK);
    await losingAnswer(proxy, scheduleTick, async () => {
      await using ticker = hf.queue<number>(name).schedules.run({ poll: 50 });
      await until("it goes on", () => ticker.stats().added >= 5);
    });
    expect(await misplaced(name)).toEqual([]);
  });

  it("is set once where the answer is lost", async () => {
    const name = randomUUID();
    const set = await losingAnswer(proxy, schedulePut, () =>
      hf.queue<number>(name).schedules.set("s", { every: "1h", payload: 1 }),
    );
    expect(await direct.queue<number>(name).schedules.get("s")).toEqual(set);
    const paused = () => hf.queue<number>(name).schedules.pause("s");
    expect(await losingAnswer(proxy, schedulePut, paused)).toEqual({ status: "ok" });
    expect(await direct.queue<number>(name).schedules.get("s")).toMatchObject({ isPaused: true });
  });

  it("runNow adds once where the answer is lost", async () => {
    const name = randomUUID();
    await direct.queue<number>(name).schedules.set("s", { every: "1h", payload: 1 });
    await losingAnswer(proxy, scheduleRun, () => hf.queue<number>(name).schedules.runNow("s"));
    expect(await direct.queue(name).counts()).toMatchObject({ waiting: 1 });
  });

  it("a ticker that dies leaves its tick to the others", async () => {
    const name = randomUUID();
    await direct.queue<number>(name).schedules.set("s", EVERY_TICK);
    const victim = hf.queue<number>(name, { timeout: "300ms" }).schedules.run({ poll: 50 });
    await until("it ticks", () => victim.stats().added > 0);
    proxy.freeze();
    const before = (await added(name)).length;
    await using heir = direct.queue<number>(name).schedules.run({ poll: 50 });
    await until("the other goes on", async () => heir.stats().added > 3 && (await added(name)).length > before + 3);
    await proxy.heal();
    await until("both tick", () => heir.stats().added > 10);
    await victim.close();
    expect(await misplaced(name)).toEqual([]);
  });

  it("heals after the server stood still", async () => {
    const name = randomUUID();
    await direct.queue<number>(name).schedules.set("s", EVERY_TICK);
    await using ticker = hf.queue<number>(name, { timeout: "300ms" }).schedules.run({ poll: 50 });
    await until("it ticks", () => ticker.stats().added > 0);
    await server.pause();
    await until("the connection is given up", () => hf.driver.nodes().every(({ state }) => state === "down"));
    server.resume();
    const { added: before } = ticker.stats();
    await until("it goes on", () => ticker.stats().added > before + 3);
    expect(await misplaced(name)).toEqual([]);
  });

  it("goes on after the server was killed, with what its log has", async () => {
    const name = randomUUID();
    await direct.queue<number>(name).schedules.set("s", EVERY_TICK);
    await using ticker = hf.queue<number>(name).schedules.run({ poll: 50 });
    await until("it ticks", () => ticker.stats().added > 0);
    await server.kill();
    await server.restart();
    const { added: before } = ticker.stats();
    await until("it goes on", () => ticker.stats().added > before + 3);
    expect(await misplaced(name)).toEqual([]);
  });

  it.each([-1, 1])("a process whose clock is a day off changes nothing (%d)", async (days) => {
    const name = randomUUID();
    vi.useFakeTimers({ now: Date.now() + days * 86_400_000, toFake: ["Date"] });
    const skewed = hf.queue<number>(name).schedules;
    const { next } = await skewed.set("s", EVERY_TICK);
    const cron = await skewed.set("c", { cron: "0 7 * * *", timeZone: "Europe/Berlin", payload: 1 });
    await using ticker = skewed.run({ poll: 50 });
    await until("it ticks", () => ticker.stats().added > 3);
    vi.useRealTimers();
    expect((await added(name))[0]).toBe(next[0]);
    expect(Math.abs(next[0]! - Date.now())).toBeLessThan(60_000);
    expect(cron.next[0]! - Date.now()).toBeLessThan(86_400_000);
    expect(
      await direct.queue<number>(name).schedules.set("c", { cron: "0 7 * * *", timeZone: "Europe/Berlin", payload: 1 }),
    ).toEqual(cron);
  });

  it("makes up for what came due while its event loop stood still", async () => {
    const name = randomUUID();
    await direct.queue<number>(name).schedules.set("s", EVERY_TICK);
    await using ticker = hf.queue<number>(name).schedules.run({ poll: 50 });
    await until("it ticks", () => ticker.stats().added > 0);
    const { added: before } = ticker.stats();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 450);
    await until("it goes on", () => ticker.stats().added > before + 6);
    expect(await misplaced(name)).toEqual([]);
  });
});
