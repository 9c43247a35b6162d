/**
 * Channels when something breaks, on servers of this file's own.
 * What could go wrong, and the test for each:
 * - messages are missed without a word .......................... "a killed connection", "a restarted server", "moves"
 * - the gap is reported at another place than where messages are missing . "a killed connection"
 * - a subscription is silent for ever after a loss .................. "a restarted server", "moves"
 * - a message is sent twice after a lost answer ..................... "the answer to a publish is lost"
 * - the handler runs before its caller has the subscription ....... "in hand"
 * - something hangs while no server answers ......................... "a stopped server", "no server"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Inbox } from "../../test/conformance/support.ts";
import { backends } from "../../test/support/backends.ts";
import {
  startCluster,
  startProxy,
  startStandalone,
  until,
  type Cluster,
  type Proxy,
  type Standalone,
} from "../../test/support/servers.ts";
import { connect } from "../connect.ts";
import { HoldfastError, OutcomeUnknownError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { slotOf } from "../driver/slot.ts";
import type { ChannelGap } from "./options.ts";

const missed = ({ disconnected, dropped }: ChannelGap): string => (disconnected ? "gap" : `${dropped} dropped`);

describe.runIf(backends("standalone").length > 0)("channels under faults [standalone]", () => {
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
      connect(proxy.url, { prefix, timeout: "10s" }),
    ]);
  });
  afterEach(async () => {
    await proxy.heal();
    await Promise.all([hf.close(), behindProxy.close()]);
  });

  /** Ends all subscriber connections and sends a message in the same moment, so that it is missed for certain. */
  async function cutAndPublish(name: string, payload: string): Promise<void> {
    using client = await server.connect();
    await client.command("MULTI");
    await client.command("CLIENT", "KILL", "TYPE", "pubsub");
    await client.command("PUBLISH", `${prefix}:channel:${name}`, payload);
    const [, receivers] = (await client.command("EXEC")) as unknown[];
    expect(receivers).toBe(0);
  }

  it("a killed connection: the gap is told between what came before and what comes after", async () => {
    const log = new Inbox<string>();
    const streamed = new Inbox<string>();
    const channel = hf.channel<string>("news");
    const onGap = (gap: ChannelGap): void => {
      expect(gap.cause).toBeInstanceOf(Error);
      log.put(missed(gap));
    };
    await channel.subscribe(log.put, { onGap });
    const stream = channel.messages({ onGap: (gap) => streamed.put(missed(gap)) });
    await stream.ready;
    const reading = (async () => {
      for await (const message of stream) streamed.put(message);
    })();

    await channel.publish("before");
    await log.find((line) => line === "before");
    await cutAndPublish("news", "missed");
    await Promise.all([log.find((line) => line === "gap"), streamed.find((line) => line === "gap")]);
    await channel.publish("after");
    await Promise.all([log.find((line) => line === "after"), streamed.find((line) => line === "after")]);
    expect(log.all).toEqual(["before", "gap", "after"]);
    expect(streamed.all).toEqual(["before", "gap", "after"]);
    await stream.close();
    await reading;
  });

  it("a restarted server: every kind of subscription stands again and reports the gap", async () => {
    const log = new Inbox<string>();
    const onGap = (from: string) => (gap: ChannelGap) => log.put(`${from} ${missed(gap)}`);
    const channel = hf.channel<string>("news");
    const shard = hf.channel<string>("news", { sharded: true });
    await channel.subscribe((message) => log.put(`plain ${message}`), { onGap: onGap("plain") });
    await shard.subscribe((message) => log.put(`shard ${message}`), { onGap: onGap("shard") });
    await hf.channels<string>("n*").subscribe((message) => log.put(`all ${message}`), { onGap: onGap("all") });
    await server.restart();
    for (const line of ["plain gap", "shard gap", "all gap"]) await log.find((each) => each === line);
    await channel.publish("1");
    await shard.publish("2");
    for (const line of ["plain 1", "shard 2", "all 1"]) await log.find((each) => each === line);
    expect(log.all).toHaveLength(6);
  });

  it("a message comes in one piece with the confirmation: its handler has the subscription in hand", async () => {
    const [got, failures] = [new Inbox<string>(), new Inbox<unknown>()];
    // Another one first, so that only the confirmation itself is held up.
    await behindProxy.channel("other").subscribe(() => undefined);
    proxy.delay(60_000);
    const subscribing = (async () => {
      const subscription = await behindProxy.channel<string>("news").subscribe(
        (message) => {
          got.put(`${subscription.name} ${message}`);
        },
        { onError: (error) => failures.put(error) },
      );
    })();
    const full = `${prefix}:channel:news`;
    await until("subscribed", async () => ((await server.command("PUBSUB", "NUMSUB", full)) as unknown[])[1] === 1);
    await hf.channel<string>("news").publish("first");
    await proxy.heal();
    await subscribing;
    await hf.channel<string>("news").publish("second");
    await got.find((line) => line === "news second");
    expect(failures.all).toEqual([]);
    expect(got.all).toEqual(["news first", "news second"]);
  });

  it("the answer to a publish is lost: its outcome is unknown, and it is not sent again", async () => {
    const got = new Inbox<string>();
    await hf.channel<string>("news").subscribe(got.put);
    proxy.dropReplies();
    const publishing = behindProxy.channel<string>("news").publish("once");
    await got.find((message) => message === "once");
    proxy.cut();
    await expect(publishing).rejects.toBeInstanceOf(OutcomeUnknownError);
    await proxy.heal();
    await hf.channel<string>("news").publish("last");
    await got.find((message) => message === "last");
    expect(got.all).toEqual(["once", "last"]);
  });

  it("no server: publish and subscribe reject by their deadline, and what was subscribed comes back", async () => {
    const log = new Inbox<string>();
    await behindProxy.channel<string>("news").subscribe(log.put, { onGap: (gap) => log.put(missed(gap)) });
    const channel = behindProxy.channel<string>("news", { timeout: 200 });
    proxy.refuse();
    proxy.cut();
    await expect(channel.publish("x")).rejects.toBeInstanceOf(HoldfastError);
    await expect(channel.subscribe(() => undefined)).rejects.toBeInstanceOf(HoldfastError);
    const stream = channel.messages();
    await expect(stream.next()).rejects.toBeInstanceOf(HoldfastError);
    expect((await stream.next()).done).toBe(true);
    await proxy.heal();
    await log.find((line) => line === "gap");
    await hf.channel<string>("news").publish("after");
    await log.find((line) => line === "after");
    expect(log.all).toEqual(["gap", "after"]);
  });

  it("a stopped server: publish, subscribe and close settle", async () => {
    const channel = hf.channel<string>("news", { timeout: 200 });
    const subscription = await until("a subscription", () => channel.subscribe(() => undefined));
    await server.pause();
    try {
      await expect(channel.publish("x")).rejects.toBeInstanceOf(OutcomeUnknownError);
      await expect(hf.channel("other", { timeout: 200 }).subscribe(() => undefined)).rejects.toMatchObject({
        code: "TIMEOUT",
      });
      await subscription.close();
    } finally {
      server.resume();
    }
  });
});

describe.runIf(backends("cluster").length > 0)("channels under faults [cluster]", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  it("a sharded channel whose slot moves: the subscription follows, and reports the gap", async () => {
    const prefix = `test-${randomUUID()}`;
    await using listening = await connect(cluster.url, { prefix });
    await using sending = await connect(cluster.url, { prefix });
    const log = new Inbox<string>();
    const streamed = new Inbox<string>();
    const channel = listening.channel<number>("flights", { sharded: true });
    await channel.subscribe((message) => log.put(String(message)), { onGap: (gap) => log.put(missed(gap)) });
    const stream = channel.messages({ onGap: (gap) => streamed.put(missed(gap)) });
    await stream.ready;
    const reading = (async () => {
      for await (const message of stream) streamed.put(String(message));
    })();

    const slot = slotOf(`${prefix}:shard:{flights}`);
    const from = cluster.nodeFor(slot);
    const to = cluster.primaries.find((node) => node !== from)!;
    const over = new AbortController();
    // Somebody sends all the time, before, while and after the slot moves.
    const flood = (async () => {
      for (let at = 0; !over.signal.aborted; at += 1)
        await sending.channel<number>("flights", { sharded: true }).publish(at);
    })();
    await log.find((line) => line === "10");
    await cluster.migrateSlot(slot, to);
    for (const each of [log, streamed]) {
      await each.find((line) => line === "gap");
      const before = Number(each.all.filter((line) => line !== "gap").at(-1));
      await each.find((line) => Number(line) > before + 10);
    }
    over.abort();
    await flood;
    for (const { all } of [log, streamed]) {
      const numbers = all.filter((line) => line !== "gap").map(Number);
      expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
    }
    await stream.close();
    await reading;
  });
});
