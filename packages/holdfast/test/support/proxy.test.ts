import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { RespClient, startProxy, startStandalone, until, type Proxy, type Standalone } from "./servers.ts";

let server: Standalone;
let proxy: Proxy;
const clients: RespClient[] = [];

beforeAll(async () => {
  server = await startStandalone();
  proxy = await startProxy(server);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await proxy.heal();
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

async function connect(timeoutMs = 20_000): Promise<RespClient> {
  const client = await RespClient.connect({ port: proxy.port, timeoutMs });
  clients.push(client);
  return client;
}

async function failureToConnect(): Promise<unknown> {
  return connect().then(
    () => undefined,
    ({ cause }: Error) => (cause as NodeJS.ErrnoException).code,
  );
}

/** The error that a promise rejects with; a promise that resolves is a failure of the test. */
async function failureOf(promise: Promise<unknown>): Promise<string> {
  return promise.then((value) => expect.fail(`resolved with ${String(value)}`), String);
}

describe("proxy", () => {
  it("passes bytes both ways, also large ones", async () => {
    const client = await connect();
    const large = Buffer.alloc(3_000_000, "x");
    await client.command("SET", "large", large);
    expect(large.equals((await client.bytes("GET", "large")) as Buffer)).toBe(true);
  });

  it("delay() keeps replies back and in order", async () => {
    const client = await connect();
    proxy.delay(60_000);
    const arrived: unknown[] = [];
    const bothAnswered = proxy.sawReply("two");
    const both = ["one", "two"].map(async (word) => arrived.push(await client.command("ECHO", word)));
    await bothAnswered;
    await server.command("PING");
    expect(arrived).toEqual([]);
    proxy.delay(1);
    await Promise.all(both);
    expect(arrived).toEqual(["one", "two"]);
  });

  it("cut() closes open connections and lets new ones in", async () => {
    const client = await connect();
    const waiting = failureOf(client.command("BLPOP", "nothing", 0));
    await until("the server blocks the client", async () => (await blockedClients()) === 1);
    proxy.cut();
    expect(await waiting).toContain("closed");
    expect(await (await connect()).command("PING")).toBe("PONG");
  });

  it("reset() sends a RST", async () => {
    const client = await connect();
    const waiting = failureOf(client.command("BLPOP", "nothing", 0));
    await until("the server blocks the client", async () => (await blockedClients()) === 1);
    proxy.reset();
    expect(await waiting).toContain("ECONNRESET");
  });

  it("freeze() holds what is sent until heal()", async () => {
    const client = await connect();
    await client.command("SET", "frozen", "before");
    proxy.freeze();
    const seen = proxy.sawRequest("after");
    const late = client.command("SET", "frozen", "after");
    await seen;
    expect(await server.command("GET", "frozen")).toBe("before");
    await proxy.heal();
    expect(await late).toBe("OK");
    expect(await server.command("GET", "frozen")).toBe("after");
  });

  it("a connection made while frozen answers after heal()", async () => {
    proxy.freeze();
    const client = await connect();
    const held = proxy.sawRequest("PING");
    const answer = client.command("PING");
    await held;
    await proxy.heal();
    expect(await answer).toBe("PONG");
  });

  it("halfOpen() ends the server's side, and the client never hears of it", async () => {
    const client = await connect(200);
    const id = String(await client.command("CLIENT", "ID"));
    proxy.halfOpen();
    await until("the server has lost it", async () => (await server.command("CLIENT", "LIST", "ID", id)) === "");
    expect(await failureOf(client.command("PING"))).toContain("no reply");
    expect(await failureOf((await connect(200)).command("PING"))).toContain("no reply");
  });

  it("heal() closes what was half open", async () => {
    const client = await connect();
    proxy.halfOpen();
    const dropped = proxy.sawRequest("PING");
    const waiting = failureOf(client.command("PING"));
    await dropped;
    await proxy.heal();
    expect(await waiting).toContain("closed");
    expect(await (await connect()).command("PING")).toBe("PONG");
  });

  it("dropReplies() lets the server execute and loses its answer", async () => {
    const client = await connect();
    proxy.dropReplies();
    const executed = proxy.sawReply(":1\r\n");
    const lost = failureOf(client.command("INCR", "executed"));
    await executed;
    proxy.cut();
    expect(await lost).toContain("closed");
    expect(await server.command("GET", "executed")).toBe("1");
  });

  it("refuse() refuses new connections and leaves open ones alone", async () => {
    const client = await connect();
    proxy.refuse();
    await until("new connections are refused", async () => (await failureToConnect()) === "ECONNREFUSED");
    expect(await client.command("PING")).toBe("PONG");
    await proxy.heal();
    expect(await (await connect()).command("PING")).toBe("PONG");
  });

  it("sawRequest() takes a predicate, and rejects when nothing comes", async () => {
    const client = await connect();
    const seen = proxy.sawRequest((bytes) => bytes.toString().endsWith("marker\r\n"));
    await client.command("ECHO", "marker");
    await seen;
    expect(await failureOf(proxy.sawRequest("marker", 50))).toContain("saw no such requests");
  });

  it("counts open connections and forgets closed ones", async () => {
    await until("the others are gone", () => proxy.connections === 0);
    const client = await connect();
    await client.command("PING");
    expect(proxy.connections).toBe(1);
    client.close();
    await until("it is forgotten", () => proxy.connections === 0);
  });
});

async function blockedClients(): Promise<number> {
  return Number(/blocked_clients:(\d+)/.exec(String(await server.command("INFO", "clients")))?.[1]);
}
