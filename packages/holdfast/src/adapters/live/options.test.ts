/** What could go wrong: an option that is misspelt or wrong is taken for none ... "refuses what it does not know" */
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { InvalidArgumentError } from "../../base/errors.ts";
import { sse } from "../fetch/index.ts";

describe("live options", () => {
  it("refuses what it does not know, by its name", async () => {
    const { connect } = await import("../../connect.ts");
    await using hf = await connect("embedded://");
    const sources = { prices: hf.channel("prices") };
    expect(() => sse(hf, { sources, heartbeet: "1s" } as never)).toThrow(
      /live "live": heartbeet: .*did you mean "heartbeat"/,
    );
    expect(() => sse(hf, { sources: { error: sources.prices } })).toThrow(InvalidArgumentError);
    expect(() => sse(hf, { sources: { prices: {} as never } })).toThrow(/sources\.prices: expected a channel/);
    expect(() => sse(hf, { name: "shop", sources, onSlow: "wait" as never })).toThrow(/live "shop": onSlow/);
    expect(() => sse({} as never, { sources })).toThrow(/hf: expected what `connect`/);
    const live = sse(hf, { sources });
    await expect(live.end({} as never)).rejects.toThrow(InvalidArgumentError);
    const server = createServer();
    const webSocket = (options: object, on: unknown = server) => live.webSocket(on as never, options as never);
    expect(() => webSocket({ WebSocketServer, path: "live" })).toThrow(/live "live": path: expected a path such as/);
    expect(() => webSocket({ path: "/live" })).toThrow(/WebSocketServer: expected the class/);
    expect(() => webSocket({ WebSocketServer, path: "/live", origin: [] })).toThrow(/did you mean "origins"/);
    expect(() => webSocket({ WebSocketServer, path: "/live", origins: "https://a.com" })).toThrow(/origins: expected/);
    expect(() => webSocket({ WebSocketServer, path: "/live", maxMessage: 1 })).toThrow(/maxMessage/);
    expect(() => webSocket({ WebSocketServer, path: "/live" }, {})).toThrow(/server: expected a server/);
    expect(server.listenerCount("upgrade")).toBe(0);
  });
});
