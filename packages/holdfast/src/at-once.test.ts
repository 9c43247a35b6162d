/**
 * A handle that is there before its server is. What could go wrong, and the test for each:
 * - a call made at once is refused, or goes to the wrong node of a cluster ... "answers what is called in the same tick"
 * - the scan of a handle that knows no node yet finds nothing ................ "answers what is called in the same tick"
 * - a server that comes up after `connectTimeout` is never found ............. "finds a server that comes up later"
 * - a call says "timeout" and not why ........................................ "finds a server that comes up later"
 * - a wrong password is waited for, or given up for ever ..................... "rejects at once while the password is wrong"
 * - the breaker of the time before holds calls back after it ................. "finds a server that comes up later"
 * - close() before the connection leaves it to be made, or hangs ............. "closes before it is connected"
 * - a bad option is found out by the first call .............................. "refuses bad options at once"
 * - a failed connect() leaves something running .............................. "connect() rejects, and leaves nothing behind"
 */
import { createClient } from "@redis/client";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../test/support/backends.ts";
import { startProxy, type Standalone, startStandalone, until } from "../test/support/servers.ts";
import { ClosedError, InvalidArgumentError } from "./base/errors.ts";
import { connect, holdfast } from "./connect.ts";
import type { Holdfast } from "./holdfast.ts";
import type { StateEvent } from "./driver/port.ts";

/** Far beyond what a busy machine needs to connect. */
const PATIENT = { timeout: "25s" } as const;

const prefix = (): string => `t${randomUUID()}`;

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe.each(backends())("a handle at once [$name]", ({ url, options }) => {
  it("answers what is called in the same tick", async () => {
    await using hf = holdfast(url, { ...options, ...PATIENT, prefix: prefix() });
    expect(hf.driver.caps).toEqual({ engine: "unknown", version: "", cluster: false, fencing: "none" });
    const up = new Promise<StateEvent>((resolve) => hf.onState((event) => event.state === "up" && resolve(event)));
    const ids = Array.from({ length: 20 }, (_, at) => `id-${at}`);
    const values = hf.cache<string>("values", PATIENT);
    const stored = ids.map((id) => values.set(id, id));
    const read = values.getMany(ids);
    const counted = hf.counter("c").increment("x");
    const heard: string[] = [];
    const subscribed = hf.channel<string>("news").subscribe((message) => void heard.push(message));
    const committed = hf.transaction([hf.key("g", "x")], (tx) => tx.queue("SET", hf.key("g", "x"), "1", "PX", 60_000));

    await Promise.all(stored);
    expect((await read).size).toBe(20);
    expect(await counted).toMatchObject({ status: "ok", value: 1 });
    expect(await committed).toMatchObject({ status: "ok" });
    await subscribed;
    await hf.channel<string>("news").publish("hello");
    await until("it is heard", () => heard.length === 1);
    expect((await up).epoch).toBeGreaterThan(0);
    expect(hf.driver.caps.version).toMatch(/^\d/);
    expect(hf.driver.caps.cluster).toBe(hf.driver.slotOf("a") !== 0);
  });

  it("scans all nodes, though it knows none when it is asked", async () => {
    const own = prefix();
    await using other = await connect(url, { ...options, prefix: own });
    await Promise.all(Array.from({ length: 20 }, (_, at) => other.cache("values").set(`id-${at}`, at)));
    await using hf = holdfast(url, { ...options, ...PATIENT, prefix: own });
    const found = new Set<string>();
    for await (const page of hf.scan("cache:")) for (const key of page) found.add(key);
    expect(found.size).toBe(20);
  });

  it("closes before it is connected", async () => {
    const hf = holdfast(url, { ...options, ...PATIENT, prefix: prefix() });
    const states: string[] = [];
    hf.onState(({ state }) => states.push(state));
    await hf.close();
    expect(states.at(-1)).toBe("closed");
    expect(await failureOf(hf.ping())).toBeInstanceOf(ClosedError);
  });
});

describe.each(backends("cluster"))("a handle at once [$name]", ({ url, options }) => {
  it("is a cluster's where a plain URL turns out to name one of its nodes", async () => {
    const node = url.replace(/^redis-cluster:\/\/([^,/]+).*$/, "redis://$1");
    await using hf = holdfast(node, { ...options, ...PATIENT, prefix: prefix() });
    const values = hf.cache<number>("values", PATIENT);
    const ids = Array.from({ length: 50 }, (_, at) => `id-${at}`);
    await Promise.all(ids.map((id, at) => values.set(id, at)));
    expect((await values.getMany(ids)).size).toBe(50);
    expect(hf.driver.caps.cluster).toBe(true);
  });
});

describe("a handle before its server [standalone]", () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server.stop());

  it("finds a server that comes up later than connectTimeout, and says meanwhile why not", async () => {
    await using away = await startStandalone();
    await away.kill();
    const options = { connectTimeout: 100, timeout: 300, breakerFailures: 1, breakerCoolDown: "1h" } as const;
    await using hf = holdfast(away.url, { ...options, prefix: prefix() });
    // The first may be over before anything was tried.
    const failure = await until("a failure that says why", async () => {
      const error = (await failureOf(hf.cache("values", { timeout: 150 }).set("x", 1))) as Error;
      return error.message.includes("nothing listens there") && error;
    });
    expect(failure).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    // The breaker is open by now, and would stay so for an hour.
    await until("the breaker is open", async () => /breaker/.test(String(await failureOf(hf.ping()))));
    const up = new Promise<void>((resolve) => hf.onState(({ state }) => state === "up" && resolve()));
    await away.restart();
    await up;
    await hf.ping();
    await hf.cache("values").set("x", 1);
  });

  it("rejects at once while the password is wrong, and works once it is right", async () => {
    await server.command("ACL", "SETUSER", "app", "on", ">right", "~*", "&*", "+@all");
    const url = `redis://app:planted-secret@127.0.0.1:${server.port}`;
    await using hf = holdfast(url, { prefix: prefix(), timeout: "1h" });
    const failure = await failureOf(hf.cache("values").set("x", 1));
    expect(failure).toMatchObject({ code: "AUTH", retryable: false, op: "cache.set" });
    expect(String(failure)).toContain("check the user name and the password");
    expect(String(failure)).not.toContain("planted-secret");
    await server.command("ACL", "SETUSER", "app", ">planted-secret");
    await until("it is let in", async () => (await failureOf(hf.ping())) === undefined);
  });

  it("closes while a silent server is being asked, and refuses what waits", async () => {
    await using proxy = await startProxy({ port: server.port });
    proxy.freeze();
    const hf = holdfast(proxy.url, { timeout: "1h", connectTimeout: "1h", closeTimeout: 50 });
    const waiting = failureOf(hf.ping());
    await until("it is connecting", () => proxy.connections === 1);
    await hf.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    await until("the connection is gone", () => proxy.connections === 0);
  });

  it("borrows a client that is connected later", async () => {
    const client = createClient({ url: server.url });
    client.on("error", () => undefined);
    await using hf = holdfast(client, { ...PATIENT, prefix: prefix() });
    const stored = hf.cache("values", PATIENT).set("x", 1);
    await client.connect();
    await stored;
    await hf.close();
    expect(client.isReady).toBe(true);
    client.destroy();
  });

  it("connect() rejects, and leaves nothing behind", async () => {
    await using proxy = await startProxy({ port: server.port });
    proxy.freeze();
    const failure = await failureOf(connect(proxy.url, { connectTimeout: 100 }));
    expect(failure).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    await until("the connection is gone", () => proxy.connections === 0);
  });
});

describe("names", () => {
  it.each<[string, (hf: Holdfast, name: never) => unknown]>([
    ["cache", (hf, name) => hf.cache(name)],
    ["name", (hf, name) => hf.channel(name)],
    ["counter", (hf, name) => hf.counter(name)],
    ["fenced", (hf, name) => hf.fenced(name)],
    ["geo", (hf, name) => hf.geo(name)],
    ["key", (hf, name) => hf.key(name, "x")],
    ["leaderboard", (hf, name) => hf.leaderboard(name)],
    ["limiter", (hf, name) => hf.limiter(name, { limit: 1, window: "1s" })],
    ["lock", (hf, name) => hf.lock(name)],
    ["records", (hf, name) => hf.records(name)],
    ["tags", (hf, name) => hf.tags(name)],
  ])("%s refuses what is no name", async (noun, make) => {
    await using hf = holdfast("embedded://");
    for (const bad of [undefined, null, 5, {}, [], ""]) {
      const failure = await failureOf((async () => make(hf, bad as never))());
      expect(failure).toBeInstanceOf(InvalidArgumentError);
      expect(String(failure)).toContain(noun);
    }
  });
});

it.each<[string, (hf: Holdfast) => unknown]>([
  ["scan: options: expected an object", async (hf) => hf.scan("", 5 as never).next()],
  ["scan: cuont: expected another name", async (hf) => hf.scan("", { cuont: 5 } as object).next()],
  ["scan: head: expected the beginning", async (hf) => hf.scan(5 as never).next()],
  ["scan: head: expected the beginning", async (hf) => hf.scan(null as never).next()],
  ["onState: listener: expected a function", (hf) => hf.onState(undefined as never)],
  ["transaction: keys: expected an array", (hf) => hf.transaction(undefined as never, () => 1)],
  ["command: command: expected a command's name", (hf) => hf.command(undefined as never)],
])("%s, never a raw TypeError", async (message, ask) => {
  await using hf = holdfast("embedded://");
  const failure = await failureOf((async () => ask(hf))());
  expect(failure).toBeInstanceOf(InvalidArgumentError);
  expect(String(failure)).toContain(message);
});

describe("what a handle refuses at once", () => {
  it.each<[string, () => unknown]>([
    [
      'holdfast: timout: expected another name (did you mean "timeout"?)',
      () => holdfast("redis://x", { timout: 1 } as object),
    ],
    ["holdfast: url: expected", () => holdfast("nonsense")],
    ["holdfast: url: expected a URL, options or a node-redis client, got 7", () => holdfast(7 as never)],
    ["holdfast: options: expected an object such as", () => holdfast("redis://x", 5 as never)],
    ["holdfast: options: expected an object such as { url: ... }, got null", () => holdfast(null as never)],
    [
      "holdfast: options: expected one object, with `url` in it",
      () => holdfast({ url: "redis://x" } as never, { timeout: 1 }),
    ],
    ["holdfast: tls: expected nothing for the embedded server", () => holdfast("embedded://", { tls: true })],
    ["holdfast: database: expected a whole number", () => holdfast("embedded://", { database: -1 })],
    ["holdfast: prefix: expected", () => holdfast("redis://x", { prefix: "" })],
    ["holdfast: client: expected", () => holdfast({ sendCommand: () => undefined } as never)],
  ])("%s", (message, open) => {
    expect(open).toThrow(InvalidArgumentError);
    expect(open).toThrow(message);
  });
});
