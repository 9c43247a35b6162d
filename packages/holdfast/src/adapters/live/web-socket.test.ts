/**
 * Live connections over WebSockets, as a plain client of them sees them, and clients that are none of ours.
 * What could go wrong, and the test for each:
 * - the protocol is another than the page says ................. "is lines of JSON"
 * - another site's page reads with the visitor's cookies ....... "an origin that is not its own"
 * - a handshake goes past the application's own checks ......... "middleware"
 * - it takes the upgrades of others, or leaves them open ....... "other paths"
 * - a half-open socket stays for good .......................... "is not heard of", "a server that falls silent"
 * - a proxy ends what is silent ................................ "heartbeats both ways"
 * - a client that never reads fills the memory ................. "that does not read" (three), "never reads"
 * - one floods with changes, each of which asks `authorize` .... "floods"
 * - frames that make no sense, that are binary or too large .... "malformed"
 * - whose time is over goes on ................................. "close codes"
 * - a deployment waits for a client, or loses it ............... "come back"
 * - one tab ends the other's ................................... "two tabs"
 */
import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import express from "express";
import { WebSocket, WebSocketServer } from "ws";
import { backends } from "../../../test/support/backends.ts";
import {
  clientBy,
  has,
  LIVE_FRAMEWORKS,
  type LiveCommon,
  type LiveServed,
  Told,
} from "../../../test/support/live-frameworks.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { sse as expressSse } from "../express/index.ts";

/** Reads all that it is sent. */
class Plain {
  readonly socket: WebSocket;
  readonly lines: unknown[] = [];
  heartbeats = 0;
  pings = 0;
  /** As it was closed, or the status of a handshake that failed. */
  end: number | undefined;

  constructor(url: string, options: WebSocket.ClientOptions = {}) {
    this.socket = new WebSocket(url.replace("http", "ws"), options);
    this.socket.on("message", (data: Buffer) => {
      for (const line of data.toString().split("\n").slice(0, -1))
        if (line === "") this.heartbeats += 1;
        else this.lines.push(JSON.parse(line));
    });
    this.socket.on("ping", () => (this.pings += 1));
    this.socket.on("error", () => undefined);
    this.socket.on("unexpected-response", (_, { statusCode }) => (this.end = statusCode));
    this.socket.on("close", (code) => (this.end ??= code));
  }

  async open(subscription?: string): Promise<this> {
    await until("it is greeted", () => this.notices("hello").length === 1);
    if (subscription === undefined) return this;
    this.socket.send(JSON.stringify({ subscribe: [subscription] }));
    await until("it is open", () => this.notices("open").length === 1);
    return this;
  }

  notices(type: string): unknown[] {
    return this.lines.filter((line) => (line as { type?: string }).type === type);
  }

  messages(): unknown[] {
    return this.lines.filter((line) => Array.isArray(line)).map((line) => (line as unknown[])[2]);
  }

  async ended(): Promise<number> {
    await until("it has ended", () => this.end !== undefined);
    return this.end!;
  }
}

/** A flood of them would be one of the tests' own. */
const BIG = "x".repeat(100_000);

const frameworks = backends("embedded").flatMap((backend) =>
  Object.keys(LIVE_FRAMEWORKS).map((framework) => ({ ...backend, framework })),
);
const one = backends("standalone", "embedded").map((backend) => ({ ...backend, framework: "express" }));

/** What every test here has. */
function fixture({ framework, ...backend }: (typeof one)[number]) {
  const two = new TwoHandles(backend);
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  return {
    two,
    closing: (close: () => unknown) => void opened.push({ close }),
    serve: async (options: LiveCommon): Promise<LiveServed> => {
      const served = await LIVE_FRAMEWORKS[framework]!(two.a, { retry: 20, ...options });
      opened.push(served);
      return served;
    },
    plain: (url: string, options?: WebSocket.ClientOptions): Plain => {
      const plain = new Plain(url, options);
      opened.push({ close: () => plain.socket.terminate() });
      return plain;
    },
    told: (url: string, options = clientBy("websocket")): Told => {
      const told = new Told(url, options);
      opened.push(told.client);
      return told;
    },
  };
}

describe.each(frameworks)("live WebSocket handshake $framework [$name]", (given) => {
  const { two, serve, plain, closing } = fixture(given);
  const sources = () => ({ prices: two.a.channel<number>(randomName()) });

  it("is lines of JSON: messages with their cursors, notices, and a word for each change", async () => {
    const topic = two.a.topic<string>(randomName());
    const { url } = await serve({ sources: { chat: () => topic } });
    const reader = await plain(url).open("chat:7");
    await until("the word for it", () => reader.notices("changed").length === 1);
    expect(reader.lines.slice(0, 2)).toMatchObject([
      { type: "retry", ms: expect.any(Number) },
      { type: "hello", connection: expect.stringMatching(/^[\w-]{22}$/) },
    ]);
    expect(reader.notices("open")).toEqual([{ type: "open", subscription: "chat:7", id: expect.any(String) }]);
    await topic.publish("a\nb");
    await until("the message", () => reader.messages().length === 1);
    const [name, id, value] = reader.lines.at(-1) as [string, string, string];
    expect([name, value]).toEqual(["chat:7", "a\nb"]);
    await topic.publish("c");
    const again = await plain(url).open();
    const cursors = { "chat:7": new URLSearchParams(id).get("chat:7") };
    again.socket.send(JSON.stringify({ subscribe: ["chat:7", "chat", "no"], cursors }));
    await until("what it has missed", () => again.messages().length === 1);
    await until("the answer", () => again.notices("changed").length === 1);
    expect(again.messages()).toEqual(["c"]);
    expect(again.notices("denied")).toEqual([{ type: "denied", subscription: "no" }]);
    again.socket.send(JSON.stringify({ unsubscribe: ["chat:7", "chat"] }));
    await until("the answer", () => again.notices("changed").length === 2);
    await topic.publish("d");
    await until("the other's", () => reader.messages().length === 3);
    expect(again.messages()).toEqual(["c"]);
  });

  it("401 and 403 are close codes, as browsers say no status; 503 is one, and tried again", async () => {
    const { url, live } = await serve({
      maxConnections: 1,
      identifyBy: (header) => (header("x-user") === undefined ? undefined : { user: header("x-user")! }),
      sources: sources(),
    });
    expect(await plain(url).ended()).toBe(4401);
    const ada = { headers: { "x-user": "ada" } };
    expect(await plain(`${url}?subscribe=secret`, ada).ended()).toBe(4403);
    await plain(url, ada).open("prices");
    expect(await plain(url, ada).ended()).toBe(503);
    expect(live.connections).toBe(1);
  });

  it("refuses an origin that is not its own, and takes its own, those that are listed, and what is no browser", async () => {
    const { url } = await serve({ sources: sources(), webSocket: { origins: ["https://app.example.com"] } });
    const { host } = new URL(url);
    for (const origin of [`http://${host}`, "https://app.example.com"]) await plain(url, { origin }).open("prices");
    const others = [
      "https://evil.example.com",
      `http://${host}.evil.com`,
      "http://127.0.0.1",
      "null",
      "https://app.example.com:8443",
    ];
    for (const origin of others) expect(await plain(url, { origin }).ended()).toBe(403);
    const chosen = await serve({
      sources: sources(),
      webSocket: { origins: (origin) => (origin === "null" ? true : ("yes" as never)) },
    });
    await plain(chosen.url, { origin: "null" }).open("prices");
    const errors: unknown[] = [];
    const failing = await serve({
      sources: sources(),
      onError: (error) => errors.push(error),
      webSocket: {
        origins: () => {
          throw new Error("no list");
        },
      },
    });
    expect(await plain(failing.url, { origin: "null" }).ended()).toBe(500);
    expect(errors).toEqual([new Error("no list")]);
    expect(await plain(chosen.url, { origin: "https://evil.example.com" }).ended()).toBe(403);
  });

  it("other paths: 404 where nobody else takes upgrades, else they are left to others; none is taken after the close", async () => {
    const { url, server, live } = await serve({ sources: sources() });
    expect(await plain(`${url}s`).ended()).toBe(404);
    live.webSocket(server, { path: "/live2", WebSocketServer });
    expect(await plain(`${url}s`).ended()).toBe(404);
    const others = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url === "/lives") others.handleUpgrade(request, socket, head, (each) => each.close(4999));
    });
    expect(await plain(`${url}s`).ended()).toBe(4999);
    await plain(url).open("prices");
    await live.close();
    expect(server.listenerCount("upgrade")).toBe(1);
    closing(() => server.closeAllConnections());
  });

  it("what is no handshake is answered, and does not stay", async () => {
    const { url, live, server } = await serve({ sources: sources() });
    const { port } = new URL(url);
    const say = (text: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = net.connect(Number(port), "127.0.0.1", () => socket.write(text));
        let answer = "";
        socket.on("data", (data) => (answer += data.toString()));
        socket.on("error", () => undefined);
        socket.on("close", () => resolve(answer));
      });
    const head = "GET /live HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n";
    expect(await say(`${head}upgrade: h2c\r\n\r\n`)).toMatch(/^HTTP\/1.1 400/);
    expect(await say(`${head}upgrade: websocket\r\nsec-websocket-version: 13\r\n\r\n`)).toMatch(/^HTTP\/1.1 400/);
    await until("none stays", () => live.connections === 0);
    const open = (): Promise<number> => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await until("no socket stays", async () => (await open()) === 0);
  });
});

describe.each(one)("live WebSockets [$name]", (given) => {
  const { two, serve, plain, told, closing } = fixture(given);

  it("a request for one passes through middleware, whose answer it is where the handler is not reached", async () => {
    const app = express();
    app.use((request, response, next) => {
      if (request.headers["x-user"] === undefined) return void response.status(418).end("no");
      (request as { user?: unknown }).user = request.headers["x-user"];
      next();
    });
    const live = expressSse(two.a, {
      identify: (request) => ({ user: (request as { user?: string }).user! }),
      sources: {},
    });
    app.all("/live", live);
    const server = http.createServer(app);
    live.webSocket(server, { path: "/live", WebSocketServer });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing(async () => {
      await live.close();
      server.close();
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/live`;
    expect(await plain(url).ended()).toBe(418);
    const ada = await plain(url, { headers: { "x-user": "ada" } }).open("user");
    await live.toUser("ada", 7);
    await until("it is hers", () => ada.messages().length === 1);
    expect(ada.messages()).toEqual([7]);
  });

  it("heartbeats both ways, so that nothing on the way takes it for idle", async () => {
    const { url } = await serve({ heartbeat: 30, stall: "30s", sources: { prices: two.a.channel(randomName()) } });
    const reader = await plain(url).open("prices");
    await until("several of each", () => reader.heartbeats >= 5 && reader.pings >= 5);
    expect(reader.end).toBeUndefined();
  });

  it("a client that is not heard of is given up, although its socket takes what it is sent", async () => {
    const { url, live } = await serve({ heartbeat: 20, stall: 60, sources: { prices: two.a.channel(randomName()) } });
    const mute = plain(url, { autoPong: false });
    expect(await mute.ended()).toBe(1006);
    await until("it is gone", () => live.connections === 0);
  });

  it("a server that falls silent: its client makes the connection again", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    closing(() => {
      for (const each of server.clients) each.terminate();
      server.close();
    });
    let connections = 0;
    server.on("connection", (socket) => {
      connections += 1;
      socket.send('{"type":"retry","ms":1}\n{"type":"hello","connection":"x"}\n');
    });
    const { port } = server.address() as AddressInfo;
    const client = told(`http://127.0.0.1:${port}`, { ...clientBy("websocket"), silence: 50, maxRetry: 10 });
    client.subscribe("prices");
    await until("it comes back", () => connections >= 3);
    expect(client.client.state).not.toBe("closed");
  });

  it("a client that does not read: ended where its buffer is full, and what it got has no hole", async () => {
    const big = two.a.channel<string>(randomName());
    const { url, live } = await serve({ sources: { big }, buffer: 4_096 });
    const slow = await plain(url).open("big");
    slow.socket.pause();
    for (let n = 0; n < 200; n += 1) await big.publish(`${n} ${BIG}`);
    await big.publish("last");
    await until("it was ended", () => live.connections === 0);
    slow.socket.resume();
    expect(await slow.ended()).toBe(1013);
    const numbers = slow.messages().map((text) => Number.parseInt(text as string, 10));
    expect(numbers).toEqual(numbers.map((_, at) => at));
    expect(numbers.length).toBeLessThan(200);
  });

  it("a client that does not read, drop: what it has missed is counted", async () => {
    const big = two.a.channel<string>(randomName());
    const { url } = await serve({ sources: { big }, buffer: 4_096, onSlow: "drop" });
    const slow = await plain(url).open("big");
    slow.socket.pause();
    for (let n = 0; n < 200; n += 1) await big.publish(`${n} ${BIG}`);
    slow.socket.resume();
    const missed = (): number =>
      slow.notices("gap").reduce<number>((sum, gap) => sum + (gap as { count: number }).count, 0);
    await until("all is there or counted", () => slow.messages().length + missed() === 200);
    expect(missed()).toBeGreaterThan(0);
  });

  it("a client that does not read, topics: what it has no room for waits on the server", async () => {
    const topic = two.a.topic<string>(randomName());
    const { url } = await serve({ sources: { big: topic }, buffer: 2_048, stall: "10m" });
    const slow = await plain(url).open("big");
    slow.socket.pause();
    for (let n = 0; n < 100; n += 1) await topic.publish(`${n} ${BIG}`);
    slow.socket.resume();
    await until("the last", () => slow.messages().length === 100);
    expect(slow.messages().map((text) => Number.parseInt(text as string, 10))).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
  });

  it("a client that never reads is cut off after `stall`", async () => {
    const topic = two.a.topic<string>(randomName());
    const { url, live, server } = await serve({ sources: { big: topic }, buffer: 2_048, stall: "2s", heartbeat: "1s" });
    const never = await plain(url).open("big");
    never.socket.pause();
    for (let n = 0; n < 100 && live.connections > 0; n += 1) await topic.publish(`${n} ${BIG}`);
    await until("it is given up", () => live.connections === 0);
    const open = (): Promise<number> => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    await until("its socket is gone", async () => (await open()) === 0);
    expect(never.messages().length).toBeLessThan(100);
  });

  it("a client that floods with changes is ended, and did not have `authorize` asked for each", async () => {
    let asked = 0;
    const { url, live } = await serve({
      authorize: () => {
        asked += 1;
        return true;
      },
      sources: { chat: two.a.channel(randomName()) },
    });
    const flood = await plain(url).open();
    for (let n = 0; n < 5_000; n += 1) flood.socket.send(`{"subscribe":["chat"],"unsubscribe":["chat"]}`);
    expect(await flood.ended()).toBe(1008);
    await until("it is gone", () => live.connections === 0);
    expect(asked).toBeLessThan(1_000);
  });

  it("a client that waits for each change is slowed down, and keeps its connection", async () => {
    const { url } = await serve({ sources: { chat: two.a.channel(randomName()) } });
    const busy = await plain(url).open();
    const began = performance.now();
    for (let n = 1; n <= 120; n += 1) {
      busy.socket.send(`{"${n % 2 === 0 ? "un" : ""}subscribe":["chat"]}`);
      await until("it is done", () => busy.notices("changed").length === n);
    }
    // A hundred at once, and twenty at 50 ms.
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(busy.end).toBeUndefined();
  });

  it.each([
    ["malformed: no JSON", "{", 4400],
    ["malformed: no object", "[]", 4400],
    ["malformed: no names", `{"subscribe":[1]}`, 4400],
    ["malformed: no cursors", `{"subscribe":["a"],"cursors":{"a":1}}`, 4400],
    ["malformed: too many", JSON.stringify({ subscribe: Array.from({ length: 33 }, String) }), 4400],
    ["malformed: too large", JSON.stringify({ subscribe: ["x".repeat(70_000)] }), 1009],
    ["binary", Buffer.from("{}"), 1003],
  ])("%s is refused, and harms nobody else", async (_, frame, code) => {
    const prices = two.a.channel<number>(randomName());
    const { url, live } = await serve({ sources: { prices } });
    const [good, bad] = [await plain(url).open("prices"), await plain(url).open("prices")];
    bad.socket.send(frame);
    expect(await bad.ended()).toBe(code);
    await until("it is gone", () => live.connections === 1);
    await prices.publish(1);
    await until("the other has it", () => good.messages().length === 1);
  });

  it.each([
    ["malformed: bytes that are no text", [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff], 1007],
    ["malformed: a frame without its mask", [0x81, 0x02, 0x7b, 0x7d], 1002],
    ["malformed: a frame of no kind", [0x8f, 0x80, 0, 0, 0, 0], 1002],
  ])("%s", async (_, bytes, code) => {
    const { url, live } = await serve({ sources: { prices: two.a.channel(randomName()) } });
    const bad = await plain(url).open("prices");
    (bad.socket as unknown as { _socket: net.Socket })._socket.write(Buffer.from(bytes));
    expect(await bad.ended()).toBe(code);
    await until("it is gone", () => live.connections === 0);
  });

  it("close codes: revoked, expired", async () => {
    const { url, live } = await serve({
      heartbeat: 20,
      stall: "30s",
      identifyBy: (header) => ({ user: header("x-user")!, ...(header("x-user") === "bob" ? { expiresIn: 300 } : {}) }),
      sources: { prices: two.a.channel(randomName()) },
    });
    const [ada, bob] = ["ada", "bob"].map((user) => plain(url, { headers: { "x-user": user } }));
    await ada!.open("prices");
    expect(await bob!.ended()).toBe(4419);
    await live.end({ user: "ada" });
    expect(await ada!.ended()).toBe(4410);
    expect([ada!.lines.at(-1), bob!.lines.at(-1)]).toEqual([
      { type: "bye", reason: "revoked" },
      { type: "bye", reason: "expired" },
    ]);
  });

  it("a close says come back, when, and waits for nobody who does not read", async () => {
    const big = two.a.channel<string>(randomName());
    const { url, live, server } = await serve({ sources: { big }, buffer: 2 ** 24, stall: "60s" });
    const [good, never] = [await plain(url).open("big"), await plain(url).open("big")];
    never.socket.pause();
    for (let n = 0; n < 100; n += 1) await big.publish(BIG);
    await until("all is read", () => good.messages().length === 100);
    const closed = new Promise((resolve) => server.close(resolve));
    await live.close();
    expect(await good.ended()).toBe(1012);
    expect(good.lines.at(-1)).toEqual({ type: "retry", ms: expect.any(Number) });
    // Upgraded sockets are counted by it.
    await closed;
  });

  it("two tabs of a user: each has all of it, and one that is closed leaves the other", async () => {
    const topic = two.a.topic<number>(randomName());
    const { url } = await serve({ identifyBy: () => ({ user: "ada" }), sources: { orders: topic } });
    const [first, second] = [told(url), told(url)];
    for (const each of [first, second]) each.subscribe("orders");
    await Promise.all([first, second].map((each) => each.until(has("open"))));
    await topic.publish(1);
    await Promise.all([first, second].map((each) => each.until(has("orders"))));
    first.client.close();
    await topic.publish(2);
    await second.until(has("orders"), 2);
    expect(first.events).toEqual([{ open: "orders" }, { orders: 1 }]);
    expect(second.events).toEqual([{ open: "orders" }, { orders: 1 }, { orders: 2 }]);
  });
});
