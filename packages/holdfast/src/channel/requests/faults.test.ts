/**
 * Requests when something breaks, on servers of this file's own. What could go wrong, and the test for each:
 * - the answer to a request is lost, and so is its reply ........... "the answer to the request is lost"
 * - a request is sent twice ........................................ the same
 * - a responder that is between two connections is taken for none .. "a responder that reconnects", "moves"
 * - one that was killed is asked for ever, or waited for .......... "a responder that was killed"
 * - no server, or one that does not answer: something hangs ........ "a stopped server"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Inbox } from "../../../test/conformance/support.ts";
import { backends } from "../../../test/support/backends.ts";
import { losingAnswer } from "../../../test/support/lost-answer.ts";
import {
  type Cluster,
  type Proxy,
  startCluster,
  startProxy,
  startStandalone,
  type Standalone,
  until,
} from "../../../test/support/servers.ts";
import { HoldfastError, OutcomeUnknownError } from "../../base/errors.ts";
import { connect } from "../../connect.ts";
import { slotOf } from "../../driver/slot.ts";
import type { Holdfast } from "../../holdfast.ts";
import { ask } from "../scripts.gen.ts";

const LONG = { timeout: "1m" } as const;

describe.runIf(backends("standalone").length > 0)("requests under faults [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  let prefix: string;
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
    prefix = `test-${randomUUID()}`;
    [hf, behindProxy] = await Promise.all([
      connect(server.url, { prefix }),
      connect(proxy.url, { prefix, timeout: "30s" }),
    ]);
  });
  afterEach(async () => {
    await proxy.heal();
    await Promise.all([hf.close(), behindProxy.close()]);
  });

  it("the answer to the request is lost, and its reply with it: the outcome is unknown, and it was handled once", async () => {
    const handled = new Inbox<number>();
    await hf.channel<number, number>("prices").respond((message) => {
      handled.put(message);
      return message;
    });
    const channel = behindProxy.channel<number, number>("prices");
    expect(await channel.request(0, LONG)).toEqual({ status: "ok", reply: 0 });
    const asked = (): Promise<unknown> => channel.request(1, { timeout: 3_000 }).catch((error: unknown) => error);
    const outcome = await losingAnswer(proxy, ask, asked, async () => {
      await handled.find((message) => message === 1);
      proxy.cut();
    });
    expect(outcome).toBeInstanceOf(OutcomeUnknownError);
    expect(await channel.request(2, LONG)).toEqual({ status: "ok", reply: 2 });
    expect(handled.all).toEqual([0, 1, 2]);
  });

  it("a responder that reconnects is waited for, and answers", async () => {
    await behindProxy.channel<number, number>("prices").respond((message) => message);
    const channel = hf.channel<number, number>("prices");
    expect(await channel.request(0, LONG)).toEqual({ status: "ok", reply: 0 });
    for (const each of [1, 2, 3]) {
      await server.command("CLIENT", "KILL", "TYPE", "pubsub");
      // The sender's own inbox was cut off as well: a reply can be lost with it, but nobody is told that nobody answers.
      const result = await channel.request(each, { timeout: 3_000 }).catch((error: HoldfastError) => error.code);
      expect([{ status: "ok", reply: each }, "OUTCOME_UNKNOWN"]).toContainEqual(result);
      await until("it answers", async () => (await channel.request(each, { timeout: 3_000 })).status === "ok");
    }
  });

  it("a responder that was killed is passed over, and the last one is no-responders within about a second", async () => {
    await behindProxy.channel<number, string>("prices").respond(() => "dead");
    const alive = await hf.channel<number, string>("prices").respond(() => "alive");
    proxy.refuse();
    proxy.cut();
    const channel = hf.channel<number, string>("prices");
    const replies = [1, 2, 3, 4].map((each) => channel.request(each, LONG));
    expect(await Promise.all(replies)).toEqual([1, 2, 3, 4].map(() => ({ status: "ok", reply: "alive" })));
    await alive.close();
    expect(await channel.request(1, LONG)).toEqual({ status: "no-responders" });
    expect(await channel.request(1, LONG)).toEqual({ status: "no-responders" });
  });

  it("a server that was emptied or restarted: responders are found again", async () => {
    await hf.channel<number, number>("prices").respond((message) => message, { lease: "1h" });
    const channel = behindProxy.channel<number, number>("prices");
    await server.command("FLUSHALL");
    expect(await channel.request(1, LONG)).toEqual({ status: "ok", reply: 1 });
    await server.restart();
    await until("it answers", async () => (await channel.request(2, { timeout: 3_000 })).status === "ok");
  });

  it("a server whose memory is full keeps its responders", async () => {
    await hf.channel<number, number>("prices").respond((message) => message, { lease: 300 });
    const channel = behindProxy.channel<number, number>("prices");
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      const end = performance.now() + 1_000;
      while (performance.now() < end) expect(await channel.request(1, LONG)).toEqual({ status: "ok", reply: 1 });
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
  });

  it("a stopped server: requests, respond and close settle", async () => {
    const channel = hf.channel<number, number>("prices", { timeout: 300 });
    const responder = await channel.respond((message) => message);
    expect(await channel.request(1)).toEqual({ status: "ok", reply: 1 });
    await server.pause();
    try {
      await expect(channel.request(1)).rejects.toBeInstanceOf(OutcomeUnknownError);
      await expect(channel.requestAll(1)).rejects.toBeInstanceOf(HoldfastError);
      await expect(channel.respond(() => 1)).rejects.toBeInstanceOf(HoldfastError);
      await responder.close();
    } finally {
      server.resume();
    }
  });
});

describe.runIf(backends("cluster").length > 0)("requests under faults [cluster]", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  it("a slot that moves while requests go on: nobody is told that nobody answers, and none is handled twice", async () => {
    const prefix = `test-${randomUUID()}`;
    await using answering = await connect(cluster.url, { prefix });
    await using asking = await connect(cluster.url, { prefix });
    const handled: number[] = [];
    await answering.channel<number, number>("prices").respond((message) => {
      handled.push(message);
      return message;
    });
    const channel = asking.channel<number, number>("prices");
    const over = new AbortController();
    let replies = 0;
    const flood = (async () => {
      for (let at = 0; !over.signal.aborted; at += 1) {
        const result = await channel.request(at, { timeout: 2_000 }).catch((error: unknown) => error);
        if (result instanceof OutcomeUnknownError) continue;
        expect(result).toEqual({ status: "ok", reply: at });
        replies += 1;
      }
    })();
    await until("requests are answered", () => replies > 20);
    const slot = slotOf(`${prefix}:request:{prices}`);
    const from = cluster.nodeFor(slot);
    await cluster.migrateSlot(
      slot,
      cluster.primaries.find((node) => node !== from)!,
    );
    const before = replies;
    await until("they are answered again", () => replies > before + 20);
    over.abort();
    await flood;
    expect(handled).toEqual([...new Set(handled)]);
  });
});
