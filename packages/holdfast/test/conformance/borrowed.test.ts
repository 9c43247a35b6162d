/** A client that the user made: used, and left as it was. */
import { createPrivateKey } from "node:crypto";
import {
  createClient,
  createClientPool,
  createCluster,
  type RedisClientType,
  type RedisClusterType,
} from "@redis/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBorrowedTransport } from "../../src/driver/node-redis/borrowed.ts";
import type { BorrowedClient } from "../../src/driver/node-redis/borrowed-client.ts";
import { createDriver } from "../../src/driver/resilience/driver.ts";
import { backends } from "../support/backends.ts";
import type { Certificate } from "../support/certificates.ts";
import { pkcs12 } from "../support/pkcs12.ts";
import { startStandalone, startTls, type Standalone } from "../support/servers.ts";
import { call, failureOf, Inbox, script, send, slotPrefix, stateEvent } from "./support.ts";

type UsersClient = RedisClientType | RedisClusterType;

function usersClient(name: string, url: string, ca?: string): UsersClient {
  const hosts = url.replace("redis-cluster://", "").split(",");
  const client =
    name === "cluster"
      ? createCluster({ rootNodes: hosts.map((host) => ({ url: `redis://${host}` })) })
      : createClient({ url, ...(ca === undefined ? {} : { socket: { tls: true, ca } }) });
  client.on("error", () => undefined);
  return client;
}

describe.each(backends("standalone", "cluster", "tls"))("a borrowed client [$name]", ({ name, url, options }) => {
  let client: UsersClient;
  beforeAll(async () => {
    client = usersClient(name, url, options.tls?.ca);
    await client.connect();
  });
  afterAll(() => client.destroy());

  it("carries commands, scripts, leases, subscriptions and invalidation, and stays open", async () => {
    const driver = createDriver(await createBorrowedTransport(client));
    const prefix = slotPrefix();
    expect(driver.caps.cluster).toBe(name === "cluster");
    expect(await send(driver, ["SET", `${prefix}a`, Buffer.from([0, 255]), "PX", "60000"], "idempotent")).toBe("OK");
    expect(await send(driver, ["GET", `${prefix}a`])).toEqual(Buffer.from([0, 255]));
    expect(await failureOf(send(driver, ["INCR", `${prefix}a`], "unsafe"))).toMatchObject({ code: "SERVER" });
    const source = script(`return redis.call('EXISTS', KEYS[1]) -- ${prefix}`);
    expect(await driver.script(source, [`${prefix}a`], [], call())).toBe(1);
    for (const { id } of driver.nodes()) expect(await driver.send(["PING"], call(), { node: id })).toBe("PONG");

    const lease = await driver.lease(prefix, call());
    await lease.send(["WATCH", `${prefix}a`], call("unsafe"));
    lease.release();

    const [messages, keys] = [new Inbox<string>(), new Inbox<string>()];
    const listener = { message: (payload: Buffer) => messages.put(payload.toString()), gap: () => undefined };
    await driver.subscribe("sharded", prefix, listener, call());
    await driver.send(["SPUBLISH", prefix, "hello"], call("unsafe"), prefix);
    expect(await messages.find()).toBe("hello");

    const tracker = {
      keys: (all: readonly Buffer[]) => all.forEach((key) => keys.put(String(key))),
      flush: () => undefined,
    };
    await driver.onInvalidate(prefix, tracker, call());
    await send(driver, ["DEL", `${prefix}a`], "idempotent");
    expect(await keys.find()).toBe(`${prefix}a`);

    await driver.close();
    expect(client.isReady).toBe(true);
    expect(await failureOf(send(driver, ["PING"]))).toMatchObject({ code: "CLOSED" });
  });
});

describe.each(backends("tls"))("a borrowed client with a check of its own [$name]", ({ url, options }) => {
  it("makes that check for leases too", async () => {
    const asked: string[] = [];
    const checkServerIdentity = (host: string): undefined => void asked.push(host);
    const client = createClient({ url, socket: { tls: true, ca: options.tls?.ca, checkServerIdentity } as object });
    await client.connect();
    const driver = createDriver(await createBorrowedTransport(client));
    const before = asked.length;
    (await driver.lease(slotPrefix(), call())).release();
    expect(asked.length).toBeGreaterThan(before);
    await driver.close();
    client.destroy();
  });
});

describe("a borrowed client with a certificate [tls]", () => {
  const passphrase = "open the key";
  const enciphered = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase } as const;

  it.each<[string, (own: Certificate) => object]>([
    ["key and the passphrase of that", ({ cert, key }) => ({ cert, key: createPrivateKey(key).export(enciphered) })],
    ["pfx and the passphrase of that", (own) => ({ pfx: pkcs12(own, passphrase) })],
  ])("leases connections with its %s", async (_what, access) => {
    await using server = await startTls({ clientCertificate: "required" });
    const socket = { tls: true, ca: server.ca, passphrase, ...access(server.client) } as object;
    const client = createClient({ url: server.url, socket });
    await client.connect();
    const driver = createDriver(await createBorrowedTransport(client));
    const lease = await driver.lease(slotPrefix(), call());
    expect(await lease.send(["PING"], call())).toBe("PONG");
    lease.release();
    await driver.close();
    client.destroy();
  });
});

describe("borrowing [standalone]", () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server.stop());

  it("leases connections to the database that the client is on now", async () => {
    const client = createClient({ url: server.url });
    await client.connect();
    const driver = createDriver(await createBorrowedTransport(client));
    const key = slotPrefix();
    for (const database of [5, 6, 0]) {
      await client.select(database);
      const lease = await driver.lease(key, call());
      await lease.send(["SET", key, String(database), "PX", "60000"], call());
      lease.release();
      expect(await client.get(key)).toBe(String(database));
    }
    await driver.close();
    client.destroy();
  });

  it("refuses clients that it cannot use truthfully", async () => {
    const old = createClient({ url: server.url, RESP: 2 });
    expect(await failureOf(createBorrowedTransport(old))).toMatchObject({
      field: "client",
    });
    const pool = createClientPool({ url: server.url });
    expect(await failureOf(createBorrowedTransport(pool as unknown as BorrowedClient))).toMatchObject({
      field: "client",
    });
  });

  it("does not wait for a client that is not connected, or whose server is silent", async () => {
    const client = usersClient("standalone", server.url);
    expect(await failureOf(createBorrowedTransport(client))).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    await client.connect();
    await server.pause();
    const failure = await failureOf(createBorrowedTransport(client, { connectTimeout: 50 }));
    expect(failure).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(failure.message).toContain("no connection within 50 ms");
    server.resume();
    client.destroy();
  });

  it("follows the client's state, and reports a lost answer as unknown", async () => {
    const client = usersClient("standalone", server.url);
    await client.connect();
    const driver = createDriver(await createBorrowedTransport(client));
    const down = stateEvent(driver, ({ state }) => state === "down");
    await server.pause();
    const outcome = failureOf(send(driver, ["INCR", slotPrefix()], "unsafe"));
    await new Promise((resolve) => setImmediate(resolve));
    await server.kill();
    expect(await outcome).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    await down;
    const up = stateEvent(driver, ({ state }) => state === "up");
    await server.restart();
    expect((await up).epoch).toBe(2);
    expect(await send(driver, ["PING"])).toBe("PONG");
    await driver.close();
    client.destroy();
  });
});
