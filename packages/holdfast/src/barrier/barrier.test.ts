/**
 * What could go wrong, and the test for each:
 * - one is inside before all are there, or past leave too early ... "all enter together, and leave together"; simulation.test.ts
 * - one too many comes in ..................................... "one too many waits for the next round"
 * - one that dies inside holds up the others .................. "one that dies inside breaks it"
 * - one that gives up outside breaks it, or counts on .......... "one that gives up before"
 * - the handle of one closes inside, and the others take its part for done ... "one whose handle is closed"
 * - the others take a round for done that was broken while they slept ......... "one that has slept"
 * - a lost answer leaves twice, or says broken ................. "the answer to leaving is lost"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { type Proxy, startProxy } from "../../test/support/proxy.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { TimeoutError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { leave } from "./scripts.gen.ts";

const SLOW = { timeout: 120_000 };
const MINUTE = { timeout: "1m" } as const;

describe.each(backends())("barrier [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let a: Holdfast;
  let b: Holdfast;
  beforeAll(() => {
    ({ a, b } = handles);
  });

  it("all enter together, and leave together, round by round", SLOW, async () => {
    const name = randomName();
    const [mine, theirs] = [a.barrier(name, { parties: 2 }), b.barrier(name, { parties: 2 })];
    let last = 0;
    for (let at = 0; at < 2; at += 1) {
      await expect(mine.enter({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError);
      const [first, second] = await Promise.all([mine.enter(MINUTE), theirs.enter(MINUTE)]);
      expect(first.round).toBe(second.round);
      expect(first.round).toBeGreaterThan(last);
      last = first.round;
      await expect(first.leave({ timeout: 50 })).rejects.toBeInstanceOf(TimeoutError);
      expect(second.signal.aborted).toBe(false);
      expect(await second.leave(MINUTE)).toEqual({ status: "ok" });
      expect(await first.leave(MINUTE)).toEqual({ status: "ok" });
    }
  });

  it("one too many waits for the next round", SLOW, async () => {
    const name = randomName();
    const [mine, theirs] = [a.barrier(name, { parties: 1 }), b.barrier(name, { parties: 1 })];
    const first = await mine.enter(MINUTE);
    await expect(theirs.enter({ timeout: 100 })).rejects.toBeInstanceOf(TimeoutError);
    const waiting = theirs.enter(MINUTE);
    expect(await first.leave(MINUTE)).toEqual({ status: "ok" });
    const second = await waiting;
    expect(second.round).toBeGreaterThan(first.round);
    expect(await second.leave(MINUTE)).toEqual({ status: "ok" });
  });

  it("one that dies inside breaks it for all, and the next round is whole", SLOW, async () => {
    const name = randomName();
    const options = { parties: 3, ttl: 6_000 };
    const [mine, theirs] = [a.barrier(name, options), b.barrier(name, options)];
    const [first, second, dead] = await Promise.all([mine.enter(MINUTE), theirs.enter(MINUTE), theirs.enter(MINUTE)]);
    const lost = new Promise((resolve) => second.signal.addEventListener("abort", resolve));
    const leaving = first.leave(MINUTE);
    // As if its process had died: its renewals are of somebody whom nobody knows.
    const members = `${handles.prefix}:barrier:{${name}}:members`;
    await handles.send("ZADD", members, "1", "dead");
    expect(await leaving).toEqual({ status: "broken" });
    await lost;
    expect(await second.leave(MINUTE)).toEqual({ status: "broken" });
    expect(await dead.leave(MINUTE)).toEqual({ status: "broken" });
    const again = await Promise.all([mine.enter(MINUTE), theirs.enter(MINUTE), theirs.enter(MINUTE)]);
    const ends = await Promise.all(again.map((pass) => pass.leave(MINUTE)));
    expect(ends).toEqual([{ status: "ok" }, { status: "ok" }, { status: "ok" }]);
  });

  it("one that has slept while its round was broken, and another one after it, is told", SLOW, async () => {
    const name = randomName();
    const options = { parties: 2, ttl: "1h" } as const;
    const broken = async () => {
      const other = await handles.another();
      const [pass] = await Promise.all([
        a.barrier(name, options).enter(MINUTE),
        other.barrier(name, options).enter(MINUTE),
      ]);
      await other.close();
      return pass;
    };
    for (const pass of [await broken(), await broken()]) expect(await pass.leave(MINUTE)).toEqual({ status: "broken" });
  });

  it("one whose handle is closed inside breaks it", SLOW, async () => {
    const name = randomName();
    const closing = await handles.another();
    const [mine] = await Promise.all([
      a.barrier(name, { parties: 2 }).enter(MINUTE),
      closing.barrier(name, { parties: 2 }).enter(MINUTE),
    ]);
    const leaving = mine.leave(MINUTE);
    await closing.close();
    expect(await leaving).toEqual({ status: "broken" });
  });
});

describe("barrier under faults", () => {
  let server: Standalone;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });

  it("the answer to leaving is lost: it has left once, also where the next round has begun", SLOW, async () => {
    const options = { prefix: randomUUID(), timeout: "10s" } as const;
    await using hf = await connect(server.url, options);
    await using behindProxy = await connect(proxy.url, options);
    const mine = hf.barrier("b", { parties: 1, ttl: "1m" });
    const pass = await behindProxy.barrier("b", { parties: 1, ttl: "1m" }).enter(MINUTE);
    const left = losingAnswer(
      proxy,
      leave,
      () => pass.leave(MINUTE),
      () => mine.enter(MINUTE),
    );
    expect(await left).toEqual({ status: "ok" });
  });
});
