/**
 * How a client chooses what carries its connection. What could go wrong, and the test for each:
 * - something on the way knows no WebSockets, and the client stays away .. "auto: an event stream where a WebSocket cannot be made"
 * - a client that could have one has none ................................ "auto: a WebSocket"
 * - a token that cannot be sent is left out without a word ............... "headers"
 * - a ticket is used twice ............................................... "a function as url"
 * - Node's own WebSocket is another than that of `ws` .................... "with Node's own"
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
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
