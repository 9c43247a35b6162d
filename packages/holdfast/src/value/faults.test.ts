/**
 * Values when something breaks, on a server of this file's own.
 * What could go wrong, and the test for each:
 * - a lost answer makes a write happen twice, or untrue ............. "the answer to a set is lost", "to a compareAndSet"
 * - a repeat undoes what others wrote meanwhile .................... "and many wrote meanwhile"
 * - a watch does not say that the server is away, or ends ........... "the server is killed"
 * - a change is missed while the connection is broken ............... "a connection that breaks"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { losingAnswer, losingRequest } from "../../test/support/lost-answer.ts";
import { type Proxy, startProxy } from "../../test/support/proxy.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { OutcomeUnknownError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { write } from "./scripts.gen.ts";

const SLOW = { timeout: 120_000 };

describe("values under faults", () => {
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

  const writes = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 1) await hf.value<number>("v").set(at);
  };

  it(
    "the answer to a set is lost, and others wrote meanwhile: it is told as it was, and undoes nothing",
    SLOW,
    async () => {
      const value = behindProxy.value<number>("v");
      const result = await losingAnswer(
        proxy,
        write,
        () => value.set(100),
        () => writes(3),
      );
      const now = await hf.value<number>("v").get();
      expect(now!.value).toBe(2);
      expect(result.version).toBeLessThan(now!.version);
    },
  );

  it("the answer to a compareAndSet is lost: it is told as it was, written or not", SLOW, async () => {
    const value = behindProxy.value<number>("v");
    const { version } = await value.set(0);
    expect(
      await losingAnswer(
        proxy,
        write,
        () => value.compareAndSet(version, 1),
        () => writes(1),
      ),
    ).toMatchObject({
      status: "ok",
    });
    const refused = losingAnswer(
      proxy,
      write,
      () => value.compareAndSet(version, 2),
      () => writes(3),
    );
    expect(await refused).toMatchObject({ status: "conflict" });
    const never = losingRequest(
      proxy,
      write,
      () => value.compareAndSet(version, 3),
      () => writes(1),
    );
    expect(await never).toMatchObject({ status: "conflict" });
  });

  it("the answer is lost, and many wrote meanwhile: what cannot be known any more is said", SLOW, async () => {
    const value = behindProxy.value<number>("v");
    const { version } = await value.set(0);
    const written = losingAnswer(
      proxy,
      write,
      () => value.compareAndSet(version, 1),
      () => writes(20),
    );
    await expect(written).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await hf.value<number>("v").get()).toMatchObject({ value: 19 });
    await expect(
      losingAnswer(
        proxy,
        write,
        () => value.set(100),
        () => writes(20),
      ),
    ).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await hf.value<number>("v").get()).toMatchObject({ value: 19 });
    let calls = 0;
    const updated = losingAnswer(
      proxy,
      write,
      () => value.update(() => (calls += 1)),
      () => writes(3),
    );
    expect(await updated).toMatchObject({ status: "ok", value: 1 });
    expect(calls).toBe(1);
  });

  it("a connection that breaks: what changed meanwhile is read when it stands again", SLOW, async () => {
    await hf.value<number>("v").set(1);
    await using states = behindProxy.value<number>("v").watch();
    expect((await states.next()).value).toMatchObject({ value: 1, stale: false });
    const next = states.next();
    proxy.reset();
    await hf.value<number>("v").set(2);
    let state = (await next).value!;
    while (state.value !== 2) state = (await states.next()).value!;
    expect(state.stale).toBe(false);
  });

  it("the server is killed: what was seen is stale, and fresh again when it is back", SLOW, async () => {
    const first = await hf.value<number>("v").set(1);
    await using states = hf.value<number>("v", { timeout: "1s" }).watch();
    expect((await states.next()).value).toMatchObject({ value: 1, stale: false });
    const away = states.next();
    await server.kill();
    expect((await away).value).toEqual({ value: 1, version: first.version, stale: true });
    await using early = behindProxy.value<number>("v", { timeout: "1s", initial: 7 }).watch();
    expect((await early.next()).value).toEqual({ value: 7, version: 0, stale: true });
    await server.restart();
    // It has forgotten all it knew; the version does not fall.
    expect((await states.next()).value).toEqual({ value: undefined, version: first.version, stale: false });
    const again = states.next();
    const second = await until("a write", () => hf.value<number>("v").set(2));
    expect((await again).value).toEqual({ value: 2, version: second.version, stale: false });
  });
});
