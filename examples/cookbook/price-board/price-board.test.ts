// What could go wrong, and the test for each:
// - a row that is scrolled in shows nothing until its price changes .... "a row has the last price at once"
// - a row that is scrolled out goes on costing the server .............. "follows what is on the screen, and nothing else"
// - each scroll is a connection, or a row that stays misses a price .... the same
// - an old price is shown as if it were current ........................ "prices that were missed are not shown"
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { connect } from "holdfast";
import type { LiveWebSocketClass } from "holdfast/live-client";
import { WebSocket } from "ws";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { type PriceBoard, priceBoard, PriceScreen } from "./price-board.ts";

describe.each(backends("standalone", "embedded"))("cookbook: price board [$name]", ({ url, options }) => {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).toReversed()) await each.close();
  });

  async function serve(): Promise<{ board: PriceBoard; screen: () => PriceScreen; cut: () => void }> {
    const hf = await connect(url, { ...options, prefix: `cook-${randomUUID()}`, timeout: "30s" });
    opened.push(hf);
    const server = createServer((request, response) => board.live(request, response));
    const board = priceBoard(hf, server);
    const sockets: Socket[] = [];
    server.on("connection", (socket: Socket) => sockets.push(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    opened.push(server, board.live);
    const { port } = server.address() as AddressInfo;
    const screen = (): PriceScreen => {
      const made = new PriceScreen(`http://127.0.0.1:${port}/prices`, (symbol) => board.last(symbol), {
        // Node has its own from 22 on.
        WebSocket: WebSocket as unknown as LiveWebSocketClass,
        maxRetry: 400,
      });
      opened.push(made);
      return made;
    };
    return { board, screen, cut: () => sockets.forEach((socket) => socket.destroy()) };
  }
  const shows = (screen: PriceScreen, prices: Record<string, number>): Promise<unknown> =>
    until(`it shows ${JSON.stringify(prices)}`, () => isDeepStrictEqual(Object.fromEntries(screen.prices), prices));

  it("a row has the last price at once, and then each new one", async () => {
    const { board, screen } = await serve();
    await board.set("ABC", 1);
    const [one, two] = [screen(), screen()];
    for (const each of [one, two]) each.show(["ABC", "NEW", "no symbol"]);
    await Promise.all([one, two].map((each) => shows(each, { ABC: 1 })));
    await until("both are followed", async () => (await board.set("NEW", 2)) === 1);
    await board.set("ABC", 3);
    await Promise.all([one, two].map((each) => shows(each, { ABC: 3, NEW: 2 })));
    expect(board.live.connections).toBe(2);
  });

  it("follows what is on the screen and nothing else, by one connection", async () => {
    const { board, screen } = await serve();
    const one = screen();
    one.show(["A", "B", "C"]);
    await until("it is there", async () => (await board.set("B", 1)) === 1);
    await shows(one, { B: 1 });
    for (const rows of [
      ["B", "C", "D"],
      ["C", "D", "E"],
      ["B", "E", "F"],
    ])
      one.show(rows);
    await until("it is there", async () => (await board.set("F", 6)) === 1);
    await until("those that are gone are not followed", async () => (await board.set("D", 4)) === 0);
    expect(await board.set("A", 1)).toBe(0);
    await board.set("E", 5);
    await shows(one, { B: 1, E: 5, F: 6 });
    expect(board.live.connections).toBe(1);
  });

  it("prices that were missed are not shown, and the last one is when it is back", async () => {
    const { board, screen, cut } = await serve();
    await board.set("ABC", 1);
    const one = screen();
    one.show(["ABC"]);
    await shows(one, { ABC: 1 });
    cut();
    await board.set("ABC", 2);
    await shows(one, { ABC: 2 });
    expect(board.live.connections).toBe(1);
  });
});
