/**
 * Elections when something breaks, on servers of this file's own.
 * What could go wrong, and the test for each:
 * - a lost answer leaves a lead that nobody has, or two leaders .... "the answer to a campaign is lost"
 * - a campaign that is given up then leads ........................ "given up after its answer was lost"
 * - a lost answer hands over twice ................................ "the answer to a resignation is lost"
 * - a lost wake-up leaves the lead vacant ......................... "a hand-over of which its candidate does not hear"
 * - a leader goes on while the server is away ..................... "the server is killed"
 * - those who observe see an old leader, or nothing, meanwhile ..... the same
 * - a campaign gives up, or hangs, while the server is away ........ the same
 * - a fail-over loses the leader, or a term goes back .............. "in a fail-over"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { type Proxy, startProxy } from "../../test/support/proxy.ts";
import { startSentinel } from "../../test/support/sentinel.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { AbortedError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { campaign, resign } from "./scripts.gen.ts";

const SLOW = { timeout: 120_000 };

describe("elections in a fail-over", () => {
  it("a leader that reached the replicas leads on, and terms go on rising", SLOW, async () => {
    await using sentinel = await startSentinel();
    await using hf = await connect(sentinel.url, { prefix: "failover", timeout: "10s" });
    const leadership = await hf.election("e", { id: "a", ttl: "60s" }).campaign();
    await until("the leader on every replica", async () => {
      const found = await Promise.all(
        (await sentinel.replicas()).map((each) => each.command("EXISTS", "failover:election:{e}")),
      );
      return found.every((count) => count === 1);
    });
    await (await sentinel.primary()).kill();
    const leader = await until("the new primary", () => hf.election("e").leader());
    expect(leader).toMatchObject({ id: "a", term: leadership.term });
    expect(leadership.held).toBe(true);
    expect(await leadership.resign()).toEqual({ status: "ok", next: undefined });
    await using next = await hf.election("e").campaign();
    expect(next.term).toBeGreaterThan(leadership.term);
  });
});

describe("elections under faults", () => {
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

  it("the answer to a campaign is lost: it leads once, in the term that it was given", SLOW, async () => {
    let term = 0;
    const leadership = await losingAnswer(
      proxy,
      campaign,
      () => behindProxy.election("e", { ttl: "30s", timeout: "4s" }).campaign(),
      async () => (term = (await hf.election("e").leader())!.term),
    );
    expect(leadership.term).toBe(term);
    expect(await leadership.resign()).toEqual({ status: "ok", next: undefined });
  });

  it("given up after its answer was lost: nobody leads", SLOW, async () => {
    const abort = new AbortController();
    const given = losingAnswer(
      proxy,
      campaign,
      () => behindProxy.election("e", { ttl: "1h", timeout: "4s" }).campaign({ signal: abort.signal }),
      async () => abort.abort(),
    );
    await expect(given).rejects.toBeInstanceOf(AbortedError);
    await until("nobody leads", async () => (await hf.election("e").leader()) === undefined);
  });

  it("the answer to a resignation is lost: it is told as it was, though another leads by now", SLOW, async () => {
    const leadership = await behindProxy.election("e", { ttl: "60s" }).campaign();
    const waiting = hf.election("e", { id: "b" }).campaign();
    await until("the candidate", async () => (await hf.election("e").candidates()).length === 1);
    const result = await losingAnswer(
      proxy,
      resign,
      () => leadership.resign(),
      () => waiting,
    );
    expect(result).toEqual({ status: "ok", next: "b" });
    const next = await waiting;
    expect(next.held).toBe(true);
    await next.resign();
  });

  it("a hand-over of which its candidate does not hear: it is the leader when it asks again", SLOW, async () => {
    const leadership = await hf.election("e", { ttl: "3s" }).campaign();
    const waiting = behindProxy.election("e", { id: "b" }).campaign();
    await until("the candidate", async () => (await hf.election("e").candidates()).length === 1);
    proxy.freeze();
    await leadership.resign();
    await proxy.heal();
    const next = await waiting;
    expect(next.term).toBeGreaterThan(leadership.term);
    await next.resign();
  });

  it(
    "the server is killed: the leader knows by its own clock, observers say so, and campaigns wait",
    SLOW,
    async () => {
      const election = hf.election<string>("e", { id: "a", ttl: "2s", timeout: "1s" });
      const leadership = await election.campaign({ value: "x" });
      await using states = behindProxy.election<string>("e", { timeout: "1s" }).observe();
      const led = { id: "a", value: "x", status: "led", since: leadership.since, term: leadership.term };
      expect((await states.next()).value).toEqual(led);
      const lost = new Promise((resolve) => leadership.signal.addEventListener("abort", resolve));
      const unknown = states.next();
      await server.kill();
      expect((await unknown).value).toEqual({ status: "unknown" });
      await lost;
      expect(leadership.held).toBe(false);
      expect(await leadership.resign()).toEqual({ status: "expired" });
      await expect(election.leader()).rejects.toMatchObject({ retryable: true });
      const waiting = election.campaign();
      await server.restart();
      const next = await waiting;
      // The server has forgotten all it knew, the last term too.
      expect(next.term).toBeGreaterThan(leadership.term);
      await until("it is seen", async () => {
        const { value } = await states.next();
        return value?.status === "led" && value.term === next.term;
      });
      await next.resign();
    },
  );
});
