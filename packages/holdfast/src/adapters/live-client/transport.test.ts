/**
 * How a client chooses what carries its connection. What could go wrong, and the test for each:
 * - something on the way knows no WebSockets, and the client stays away .. "auto: an event stream where a WebSocket cannot be made"
 * - a client that could have one has none ................................ "auto: a WebSocket"
 * - a token that cannot be sent is left out without a word ............... "headers"
 * - a ticket is used twice ............................................... "a function as url"
 * - a subscription that is made again takes the old one's word for its own . "made again while"
 * - a process stays for a client that is closed .......................... "does not keep"
 * - Node's own WebSocket is another than that of `ws` .................... "with Node's own"
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { WebSocketServer } from "ws";
import { afterEach, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import {
  has,
  LIVE_FRAMEWORKS,
  type LiveCommon,
  type LiveServed,
  Told,
  webSocketWith,
} from "../../../test/support/live-frameworks.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { until } from "../../../test/support/until.ts";
import { view } from "../fetch/index.ts";
import { LiveClient, type LiveClientOptions } from "./index.ts";

describe.each(backends("embedded"))("live client [$name]", (backend) => {
  const two = new TwoHandles(backend);
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  const WebSocket = webSocketWith({});

  async function serve(options: Partial<LiveCommon> = {}): Promise<LiveServed & { readonly asked: string[] }> {
    const orders = two.a.topic<number>(randomName());
    await orders.publish(1);
    const sources = { orders: view(orders, { from: "start" }) };
    const served = await LIVE_FRAMEWORKS["express"]!(two.a, { retry: 5, sources, ...options });
    opened.push(served);
    const asked: string[] = [];
    served.server.prependListener("request", ({ url, headers }) => {
      asked.push(`${headers.upgrade ?? "http"} ${url}`);
    });
    return { ...served, asked };
  }
  async function open(url: string | (() => string), options: LiveClientOptions): Promise<Told> {
    const told = new Told(url as string, { maxRetry: 20, ...options });
    opened.push(told.client);
    told.subscribe("orders");
    await told.until(has("open"));
    return told;
  }

  it("auto: a WebSocket where it can be made, and again after it broke", async () => {
    const { url, asked, cut } = await serve();
    const told = await open(url, { transport: "auto", WebSocket });
    cut();
    await told.until(has("open"), 2);
    expect(asked.every((each) => each.startsWith("websocket"))).toBe(true);
  });

  it("auto: an event stream where a WebSocket cannot be made, and again after it broke", async () => {
    const { url, asked, cut } = await serve({ webSocket: { path: "/other" } });
    const told = await open(url, { transport: "auto", WebSocket });
    cut();
    await told.until(has("open"), 2);
    expect(asked.every((each) => each.startsWith("http"))).toBe(true);
    const without = await open(url, { transport: "auto", headers: { "x-a": "b" }, WebSocket });
    expect(without.events[0]).toEqual({ open: "orders" });
  });

  it("headers and WebSockets are refused together", () => {
    expect(() => new LiveClient("/live", { transport: "websocket", headers: {}, WebSocket })).toThrow(/no headers/);
  });

  it.skipIf(globalThis.WebSocket !== undefined)("a WebSocket where there is none is refused", () => {
    expect(() => new LiveClient("/live", { transport: "websocket" })).toThrow(/there is no WebSocket/);
  });

  it("a function as url is asked for each connection", async () => {
    const { url, asked, cut } = await serve();
    let ticket = 0;
    const told = await open(() => `${url}?ticket=${(ticket += 1)}`, { transport: "websocket", WebSocket });
    cut();
    await told.until(has("open"), 2);
    expect(asked[0]).toBe("websocket /live?ticket=1");
    expect(asked.at(-1)).toBe(`websocket /live?ticket=${ticket}`);
    expect(ticket).toBe(asked.length);
  });

  it("one that is closed and made again while the old one is being opened sees nothing of the old one", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    opened.push({
      close: () => {
        for (const each of server.clients) each.terminate();
        server.close();
      },
    });
    await once(server, "listening");
    const changes: unknown[] = [];
    const say = (...lines: unknown[]): void => {
      for (const socket of server.clients) socket.send(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    };
    server.on("connection", (socket) => {
      say({ type: "hello", connection: "x" });
      socket.on("message", (data: Buffer) => changes.push(JSON.parse(data.toString())));
    });
    const { port } = server.address() as AddressInfo;
    const told = new Told(`http://127.0.0.1:${port}`, { transport: "websocket", WebSocket });
    opened.push(told.client);
    const old = told.subscribe("orders");
    await until("it is asked for", () => changes.length === 1);
    old.close();
    const again = told.subscribe("orders", "1.0.1.1");
    say(
      { type: "open", subscription: "orders", id: "orders=1.0.8.1" },
      ["orders", "orders=1.0.9.1", "old"],
      { type: "changed" },
      ["orders", "orders=1.0.a.1", "older"],
    );
    await until("it is asked for again", () => changes.length === 2);
    expect(changes[1]).toEqual({
      subscribe: ["orders"],
      unsubscribe: ["orders"],
      cursors: { orders: "1.0.1.1" },
    });
    expect(again.cursor).toBe("1.0.1.1");
    say(
      ["orders", "orders=1.0.b.1", "oldest"],
      { type: "changed" },
      { type: "open", subscription: "orders", id: "orders=1.0.1.1" },
      ["orders", "orders=1.0.2.1", "new"],
    );
    await told.until(has("orders"));
    expect(told.events).toEqual([{ open: "orders" }, { orders: "new" }]);
    expect(again.cursor).toBe("1.0.2.1");
  });

  it("a client that is closed while it waits to come back does not keep the process", async () => {
    const server = http.createServer((_, response) => void response.end("retry: 3600000\n\n"));
    opened.push({ close: () => server.close() });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const bundle = await rolldown({ input: fileURLToPath(new URL("index.ts", import.meta.url)), platform: "browser" });
    const { output } = await bundle.generate({ format: "esm" });
    await bundle.close();
    const program = `
      const client = new LiveClient("http://127.0.0.1:${port}/live", { maxRetry: 3_600_000 });
      client.subscribe("orders", {});
      setTimeout(() => client.close(), 500);`;
    const args = ["--no-warnings", "--input-type=module", "-e", output[0].code + program];
    expect((await promisify(execFile)(process.execPath, args)).stderr).toBe("");
  });

  it("runs with Node's own WebSocket", async () => {
    const { url } = await serve();
    const bundle = await rolldown({ input: fileURLToPath(new URL("index.ts", import.meta.url)), platform: "browser" });
    const { output } = await bundle.generate({ format: "esm" });
    await bundle.close();
    const program = `
      const client = new LiveClient(${JSON.stringify(url)}, { transport: "websocket" });
      const end = () => client.close();
      client.subscribe("orders", { message: (n) => (console.log(n), client.subscribe("none", { end })) });`;
    const flags = process.versions.node.startsWith("20.") ? ["--experimental-websocket"] : [];
    const args = [...flags, "--no-warnings", "--input-type=module", "-e", output[0].code + program];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe("1\n");
  });
});
