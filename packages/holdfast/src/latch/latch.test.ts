/**
 * What could go wrong, and the test for each:
 * - one that repeats itself opens it early ......................... "each id counts once"
 * - a waiter is not woken, or passes early, or comes too late ... "opens for all who wait"
 * - a round that was reset passes for opened, or the other way ....... "a reset"
 * - several that reset one round skip some ........................ the same
 * - a lost answer counts twice, in this round or in the next ......... "the answer to a countDown is lost"
 * - waiters hear nothing of the end: timeout, signal, close ....... "a wait ends"
 * - the key is lost, or forgotten by its ttl ...................... "the loss of its key", "its ttl"
 * - the server is away while one waits ............................ "the server is killed"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { startProxy } from "../../test/support/proxy.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { AbortedError, ClosedError, TimeoutError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { createTestServer } from "../testing/index.ts";
import { countDown } from "./scripts.gen.ts";

const SLOW = { timeout: 120_000 };
const MINUTE = { timeout: "1m" } as const;

describe.each(backends())("latch [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(() => {
    ({ a, b } = handles);
  });

  it("each id counts once; without one each call counts", async () => {
    const name = randomName();
    const [mine, theirs] = [a.latch(name, { count: 3 }), b.latch(name, { count: 3 })];
    expect(await mine.info()).toEqual({ round: 0, count: 3, remaining: 3, open: false });
    const { round } = await mine.countDown("x");
    expect(await theirs.countDown("x")).toEqual({ status: "ok", remaining: 2, round });
    expect(await theirs.countDown()).toEqual({ status: "ok", remaining: 1, round });
    expect(await mine.info()).toEqual({ round, count: 3, remaining: 1, open: false });
    expect(await mine.countDown("y")).toEqual({ status: "ok", remaining: 0, round });
    expect(await mine.countDown("z")).toEqual({ status: "ok", remaining: 0, round });
    expect(await theirs.info()).toEqual({ round, count: 3, remaining: 0, open: true });
  });

  it("opens for all who wait, and for those who come later", SLOW, async () => {
    const name = randomName();
    const [mine, theirs] = [a.latch(name, { count: 2 }), b.latch(name, { count: 2 })];
    const passed: string[] = [];
    const waits = [mine, theirs, theirs].map(async (latch) => {
      await latch.wait(MINUTE);
      passed.push("one");
    });
    await mine.countDown("x");
    expect(passed).toEqual([]);
    const { round } = await theirs.countDown("y");
    await Promise.all(waits);
    expect(await mine.wait(MINUTE)).toEqual({ round });
  });

  it(
    "a reset begins a round in which everybody has to count down once more; one of several does; waiters hear of it",
    SLOW,
    async () => {
      const name = randomName();
      const latch = a.latch(name, { count: 1 });
      const first = await latch.countDown("x");
      const rounds = await Promise.all([latch.reset(), latch.reset(), latch.reset()]);
      expect(new Set(rounds.map(({ round }) => round)).size).toBe(1);
      const [{ round }] = rounds;
      expect(round).toBeGreaterThan(first.round);
      expect(await latch.info()).toEqual({ round, count: 1, remaining: 1, open: false });
      await expect(latch.wait({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError);
      expect(await latch.countDown("x")).toEqual({ status: "ok", remaining: 0, round });
      const waiting = b
        .latch(name, { count: 1 })
        .wait(MINUTE)
        .catch((error: unknown) => error);
      let end: unknown;
      void waiting.then((error) => (end = error));
      // The one that it waits for is over at the latest with the next.
      await until("it hears of it", async () => {
        await latch.reset();
        return end !== undefined;
      });
      expect(end).toMatchObject({ code: "CONFLICT" });
    },
  );

  it("a wait ends with its timeout, its signal, and its handle", SLOW, async () => {
    const name = randomName();
    await expect(a.latch(name, { count: 1 }).wait({ timeout: 10 })).rejects.toBeInstanceOf(TimeoutError);
    const abort = new AbortController();
    const closing = await handles.another();
    const aborted = a.latch(name, { count: 1 }).wait({ signal: abort.signal });
    const closed = closing.latch(name, { count: 1 }).wait();
    abort.abort();
    await Promise.all([
      expect(aborted).rejects.toBeInstanceOf(AbortedError),
      expect(closed).rejects.toBeInstanceOf(ClosedError),
      closing.close(),
    ]);
  });
});

describe("latch, under a virtual clock [embedded]", () => {
  it("the loss of its key, and its ttl, begin a round again; waiters wait for that one", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    await using hf = await server.connect({ prefix: "p" });
    const latch = hf.latch("l", { count: 1, ttl: "10m" });
    const { round } = await latch.countDown("x");
    await server.clock.advance("11m");
    expect(await latch.info()).toMatchObject({ round: 0, open: false });
    const two = hf.latch("l", { count: 2, ttl: "10m" });
    await two.countDown("x");
    const waiting = two.wait({ timeout: "1h" });
    await server.clock.advance("1ms");
    await hf.driver.send(["DEL", "p:latch:{l}"], { op: "t", class: "unsafe" }, "p:latch:{l}");
    await server.clock.advance("31s");
    await two.countDown("x");
    const second = await two.countDown("y");
    await server.clock.advance("1ms");
    expect(await waiting).toEqual({ round: second.round });
    expect(second.round).toBeGreaterThan(round);
  });
});

describe("latch under faults", () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server?.stop());

  it("the answer to a countDown is lost: it counts once, also where the round was reset meanwhile", SLOW, async () => {
    await using proxy = await disposable(startProxy({ port: server.port }));
    const options = { prefix: randomUUID(), timeout: "10s" } as const;
    await using hf = await connect(server.url, options);
    await using behindProxy = await connect(proxy.url, options);
    const latch = hf.latch("l", { count: 2 });
    const theirs = behindProxy.latch("l", { count: 2 });
    expect(await losingAnswer(proxy, countDown, () => theirs.countDown())).toMatchObject({ remaining: 1 });
    const lost = losingAnswer(
      proxy,
      countDown,
      () => theirs.countDown("x"),
      () => latch.reset(),
    );
    expect(await lost).toMatchObject({ remaining: 0 });
    expect(await latch.info()).toMatchObject({ remaining: 2 });
  });

  it("the server is killed: a wait goes on when it is back, and ends in time when it is not", SLOW, async () => {
    await using hf = await connect(server.url, { prefix: randomUUID(), timeout: "1s" });
    const latch = hf.latch("l", { count: 1 });
    const waiting = latch.wait(MINUTE);
    await expect(latch.wait({ timeout: 200 })).rejects.toBeInstanceOf(TimeoutError);
    await server.kill();
    await expect(latch.wait({ timeout: 200 })).rejects.toBeInstanceOf(TimeoutError);
    await server.restart();
    await expect.poll(() => latch.countDown("x").catch(() => undefined), MINUTE60).toMatchObject({ remaining: 0 });
    await waiting;
  });
});

const MINUTE60 = { timeout: 60_000 };

async function disposable<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T & AsyncDisposable> {
  const started = await starting;
  return Object.assign(started, { [Symbol.asyncDispose]: () => started.stop() });
}
