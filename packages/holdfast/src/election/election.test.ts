/**
 * What could go wrong, and the test for each:
 * - two lead at a time ........................................... "one leads, the others wait"; simulation.test.ts
 * - a resignation leaves the lead vacant, or a newcomer overtakes .. "resigning hands over to the first", "a newcomer does not overtake"
 * - it goes to another than the one that was named .............. "to the one that is named", "to nobody who is no candidate"
 * - the one it is handed to is dead .............................. "a candidate that died costs its successor a second"
 * - all candidates are woken ..................................... "one candidate is woken"
 * - a dead leader is followed at once though its work goes on ..... "the lock delay"
 * - a leader that resigned is followed late because of that ....... the same
 * - a campaign that is given up leaves a candidate, or a lead ...... "leaves nothing behind"
 * - those who observe see an older leader, or miss one ............ "observers see each leader"
 * - the next leader begins before the function has ended .......... "stands again when its function has ended"
 * - a function that fails ends it all, or spins ................... "a function that fails"
 * - close hangs, or lets another lead while the function runs ...... "close waits for the function"
 */
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { TwoHandles, randomName } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { AbortedError, ClosedError, LeaseLostError, TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { createTestServer } from "../testing/index.ts";
import type { Election } from "./election.ts";

const SLOW = { timeout: 120_000 };

async function candidatesOf<V>(election: Election<V>, ids: readonly string[]): Promise<void> {
  await until(`the candidates ${ids.join(", ")}`, async () => {
    const found = await election.candidates();
    return JSON.stringify(found.map(({ id }) => id)) === JSON.stringify(ids);
  });
}

describe.each(backends())("election [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(() => {
    ({ a, b } = handles);
  });

  it("one leads, the others wait, and everybody knows who", SLOW, async () => {
    const name = randomName();
    const [first, second] = [a.election<string>(name, { id: "a" }), b.election<string>(name, { id: "b" })];
    expect(await first.leader()).toBeUndefined();
    const leadership = await first.campaign({ value: "10.0.0.1" });
    expect(leadership).toMatchObject({ id: "a", value: "10.0.0.1", held: true });
    expect(leadership.signal.aborted).toBe(false);
    expect(await second.leader()).toEqual({
      id: "a",
      value: "10.0.0.1",
      term: leadership.term,
      since: leadership.since,
    });
    await expect(second.campaign({ wait: 0 })).rejects.toBeInstanceOf(TimeoutError);
    expect(await leadership.proclaim("10.0.0.2")).toEqual({ status: "ok" });
    expect(leadership.value).toBe("10.0.0.2");
    expect(await second.leader()).toMatchObject({ value: "10.0.0.2", term: leadership.term });
    expect(await leadership.resign()).toEqual({ status: "ok", next: undefined });
    expect(await leadership.resign()).toEqual({ status: "ok", next: undefined });
    expect(leadership).toMatchObject({ held: false, remainingMs: 0 });
    expect(leadership.signal.aborted).toBe(false);
    expect(await leadership.proclaim("10.0.0.3")).toEqual({ status: "expired" });
    expect(await second.leader()).toBeUndefined();
    await using next = await second.campaign();
    expect(next.term).toBeGreaterThan(leadership.term);
    expect(next.value).toBeUndefined();
    expect(await leadership.proclaim("10.0.0.3")).toEqual({ status: "stolen" });
  });

  it(
    "resigning hands over to the first of the candidates, to the one that is named, and to nobody who is no candidate",
    SLOW,
    async () => {
      const name = randomName();
      const election = (id: string) => (id < "c" ? a : b).election(name, { id, ttl: "60s" });
      const first = await election("a").campaign();
      const waiting = [];
      for (const id of ["b", "c", "d"]) {
        waiting.push(election(id).campaign());
        await candidatesOf(election("a"), ["b", "c", "d"].slice(0, waiting.length));
      }
      const [toB, toC, toD] = waiting;
      expect(await first.resign({ to: "x" })).toEqual({ status: "missing" });
      expect(first.held).toBe(true);
      expect(await first.resign({ to: "c" })).toEqual({ status: "ok", next: "c" });
      const c = await toC!;
      expect(c.term).toBeGreaterThan(first.term);
      expect(await c.resign()).toEqual({ status: "ok", next: "b" });
      const second = await toB!;
      expect(await second.resign()).toEqual({ status: "ok", next: "d" });
      await (await toD!).resign();
    },
  );

  it("a newcomer does not overtake the waiting", SLOW, async () => {
    const name = randomName();
    const leadership = await a.election(name, { id: "a", ttl: "60s" }).campaign();
    const waiting = b.election(name, { id: "b" }).campaign();
    await candidatesOf(a.election(name), ["b"]);
    const [, again] = await Promise.allSettled([leadership.resign(), a.election(name).campaign({ wait: 0 })]);
    expect(again.status).toBe("rejected");
    await (await waiting).resign();
  });

  it("a dead leader is followed after its ttl, not before", SLOW, async () => {
    const name = randomName();
    const dead = await handles.another();
    const leadership = await dead.election(name, { ttl: 1_500 }).campaign();
    // Its renewals never arrive any more: as if its process had died.
    await handles.send("HSET", `${handles.prefix}:election:{${name}}`, "token", "dead");
    await using next = await b.election(name).campaign();
    expect(leadership.held).toBe(false);
    expect(leadership.signal.reason).toBeInstanceOf(LeaseLostError);
    expect(next.term).toBeGreaterThan(leadership.term);
  });

  it("a campaign that is given up leaves nothing behind", SLOW, async () => {
    const name = randomName();
    const leadership = await a.election(name).campaign();
    const abort = new AbortController();
    const waiting = b.election(name, { id: "b" }).campaign({ signal: abort.signal });
    await candidatesOf(a.election(name), ["b"]);
    abort.abort();
    await expect(waiting).rejects.toBeInstanceOf(AbortedError);
    await candidatesOf(a.election(name), []);
    const closing = await handles.another();
    const other = closing.election(name, { id: "c" }).campaign();
    await candidatesOf(a.election(name), ["c"]);
    await Promise.all([closing.close(), expect(other).rejects.toBeInstanceOf(ClosedError)]);
    await candidatesOf(a.election(name), []);
    expect(await leadership.resign()).toEqual({ status: "ok", next: undefined });
  });

  it("observers see each leader, and a slow one the latest; terms rise", SLOW, async () => {
    const name = randomName();
    await using states = b.election<number>(name).observe();
    expect(await states.next()).toEqual({ done: false, value: { status: "vacant" } });
    const election = a.election<number>(name, { id: "a" });
    const first = await election.campaign({ value: 1 });
    expect((await states.next()).value).toMatchObject({ status: "led", term: first.term, value: 1 });
    await first.proclaim(2);
    expect((await states.next()).value).toMatchObject({ status: "led", term: first.term, value: 2 });
    await first.resign();
    const second = await election.campaign({ value: 3 });
    await second.proclaim(4);
    expect(
      await until("the latest", async () => {
        const { value } = await states.next();
        return value?.status === "led" && value.value === 4 && value;
      }),
    ).toMatchObject({ term: second.term });
    const abort = new AbortController();
    const ending = a.election(name).observe({ signal: abort.signal });
    await ending.next();
    const last = ending.next();
    abort.abort();
    expect(await last).toEqual({ done: true, value: undefined });
    await second.resign();
  });

  it("a runner stands again when its function has ended, and hands over each time", SLOW, async () => {
    const name = randomName();
    const order: string[] = [];
    let leading = 0;
    const run = (hf: Holdfast, id: string) =>
      hf.election(name, { id }).lead(async ({ signal }) => {
        leading += 1;
        expect(leading).toBe(1);
        order.push(id);
        await until(
          "another candidate",
          async () => signal.aborted || (await a.election(name).candidates()).length > 0,
        );
        leading -= 1;
      });
    const runners = [run(a, "a"), run(b, "b")];
    await until("three leads", () => order.length >= 3);
    await Promise.all(runners.map((runner) => runner.close()));
    for (const [at, id] of order.entries()) expect(id).not.toBe(order[at - 1]);
    await until("nobody leads", async () => (await a.election(name).leader()) === undefined);
  });

  it("a function that fails is reported, and gives way to another candidate", SLOW, async () => {
    const name = randomName();
    const errors: unknown[] = [];
    const failing = a.election(name, { id: "a" }).lead(
      async () => {
        await candidatesOf(a.election(name), ["b"]);
        throw new Error("no");
      },
      { onError: (error) => errors.push(error) },
    );
    await until("the lead", () => failing.leadership !== undefined);
    await using next = await b.election(name, { id: "b" }).campaign();
    expect(errors).toEqual([new Error("no")]);
    await failing.close();
    expect(next.held).toBe(true);
  });

  it(
    "close waits for the function, which keeps the lead until it has ended; from inside it waits for nobody",
    SLOW,
    async () => {
      const name = randomName();
      const closing = await handles.another();
      let [aborted, mayEnd] = [false, (): void => undefined];
      const runner = closing.election(name).lead(
        (leadership) =>
          new Promise<void>((resolve) => {
            leadership.signal.addEventListener("abort", () => (aborted = true));
            mayEnd = resolve;
          }),
      );
      await until("the lead", () => runner.leadership !== undefined);
      const { leadership } = runner;
      const closed = closing.close();
      await until("the signal", () => aborted);
      expect(leadership!.signal.reason).toMatchObject({ reason: "closed" });
      expect(leadership!.held).toBe(true);
      expect(await b.election(name).leader()).toBeDefined();
      mayEnd();
      await closed;
      expect(await b.election(name).leader()).toBeUndefined();
      let inside: Promise<void> | undefined;
      const own = a.election(name).lead(async () => {
        inside = own.close();
        await inside;
      });
      await until("it was closed from inside", () => inside !== undefined);
      await own.close();
      expect(await b.election(name).leader()).toBeUndefined();
    },
  );
});

describe("election, under a virtual clock [embedded]", () => {
  it("the lock delay holds up who follows a leader that was lost, not who follows one that resigned", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const [a, b] = await Promise.all([server.connect({ prefix: "p" }), server.connect({ prefix: "p" })]);
    const options = { ttl: "10s", lockDelay: "15s" } as const;
    const first = await a.election("e", options).campaign();
    let second = b.election("e", options).campaign();
    await server.clock.advance("1s");
    await first.resign();
    await server.clock.advance("1ms");
    await second;
    // Lost: the server forgets it, and nobody renews it.
    await b.driver.send(["DEL", "p:election:{e}"], { op: "test", class: "idempotent" }, "p:election:{e}");
    let ledAt: number | undefined;
    const lostAt = server.clock.now();
    second = a.election("e", options).campaign();
    void second.then(() => (ledAt = server.clock.now()));
    await server.clock.advance("30s");
    expect(ledAt! - lostAt).toBeGreaterThanOrEqual(24_000);
    expect(ledAt! - lostAt).toBeLessThanOrEqual(26_000);
    await (await second).resign();
  });

  it("one candidate is woken by a resignation, and one looks for a leader that died", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const leaders = await Promise.all([1, 2].map(() => server.connect({ prefix: "p" })));
    const [a, b] = leaders as [Holdfast, Holdfast];
    const first = await a.election("e").campaign();
    const waiting = [];
    for (let at = 0; at < 10; at += 1) {
      waiting.push(b.election("e", { id: `c${at}` }).campaign());
      await server.clock.advance("1ms");
    }
    const asked = async (): Promise<number> => {
      const info = String(await a.driver.send(["INFO", "commandstats"], { op: "test", class: "read" }));
      return [...info.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
    };
    const before = await asked();
    await first.resign();
    await server.clock.advance("1ms");
    const second = await waiting[0]!;
    // The resignation, and the one that was woken.
    expect((await asked()) - before).toBe(2);
    expect(await a.election("e").candidates()).toHaveLength(9);
    await second.resign();
    await Promise.allSettled([a.close(), b.close(), ...waiting]);
  });

  it("a candidate that died costs its successor a second", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const [a, b] = await Promise.all([server.connect({ prefix: "p" }), server.connect({ prefix: "p" })]);
    const first = await a.election("e", { ttl: "20s" }).campaign();
    const dead = b.election("e", { id: "dead" }).campaign();
    await server.clock.advance("1ms");
    const live = a.election("e", { id: "live" }).campaign();
    await server.clock.advance("1ms");
    let [died, ledAt] = [0, 0];
    void live.then(() => (ledAt = server.clock.now()));
    // It stands in the queue under a token that nobody has.
    const queue = "p:election:{e}:queue";
    const [token] = (await a.driver.send(["ZRANGE", queue, "0", "0"], { op: "t", class: "read" }, queue)) as Buffer[];
    const record = await a.driver.send(
      ["HGET", "p:election:{e}:candidates", token!],
      { op: "t", class: "read" },
      queue,
    );
    await Promise.all([expect(dead).rejects.toBeInstanceOf(ClosedError), b.close()]);
    await a.driver.send(["ZADD", queue, "1", "gone"], { op: "t", class: "idempotent" }, queue);
    await a.driver.send(
      ["HSET", "p:election:{e}:candidates", "gone", record as Buffer],
      { op: "t", class: "idempotent" },
      queue,
    );
    died = server.clock.now();
    expect(await first.resign()).toEqual({ status: "ok", next: "dead" });
    await server.clock.advance("30s");
    expect(ledAt - died).toBeLessThanOrEqual(1_200);
    await (await live).resign();
  });
});
