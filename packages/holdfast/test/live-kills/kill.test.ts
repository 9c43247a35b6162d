/**
 * kill -9 of what is between a topic and its browsers, and of a stream's producer. What could go wrong, and the test for each:
 * - clients lose or repeat messages over the death of their server ......... "each of many clients sees every message once ..."
 * - what a producer was told is written is not there for readers, or no end "a producer that is killed ..."
 *
 * `HOLDFAST_LIVE_CLIENTS=2000` for a crowd, which also says what it cost.
 */
import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientBy, has, LIVE_TRANSPORTS, Told } from "../support/live-frameworks.ts";
import { endOf, Mortals } from "../support/mortal.ts";
import { type Standalone, freePort, startStandalone } from "../support/servers.ts";
import { connect } from "../../src/connect.ts";
import type { Holdfast } from "../../src/index.ts";

const CLIENTS = Number(process.env["HOLDFAST_LIVE_CLIENTS"] ?? 200);
const MESSAGES = 60;

interface Cost {
  readonly rss: number;
  readonly cpuMs: number;
}

describe("live and kill -9 [standalone]", { timeout: 300_000 + CLIENTS * 300 }, () => {
  const prefix = `test-${randomUUID()}`;
  let server: Standalone;
  let hf: Holdfast;
  let mortals: Mortals;

  beforeAll(async () => {
    server = await startStandalone();
    [hf, mortals] = await Promise.all([
      connect(server.url, { prefix, timeout: "60s" }),
      Mortals.of(new URL("mortal.child.ts", import.meta.url)),
    ]);
  });
  afterAll(async () => {
    await mortals?.[Symbol.asyncDispose]();
    await hf?.close();
    await server?.stop();
  });

  it.each(LIVE_TRANSPORTS)(
    "each of many clients sees every message once and in order, over the death of the process that serves them: %s",
    async (transport) => {
      const began = performance.now();
      const topic = hf.topic<number>(randomUUID(), { partitions: 2 });
      const port = String(await freePort());
      const serve = async () => {
        const child = mortals.start("serve", server.url, prefix, topic.name, port);
        await once(child, "message");
        return child;
      };
      // Known to the server before anybody reads.
      await topic.publish(-1, { key: "k" });
      let child = await serve();
      const clients = Array.from(
        { length: CLIENTS },
        () => new Told(`http://127.0.0.1:${port}/live`, clientBy(transport)),
      );
      for (const told of clients) told.subscribe("orders");
      await Promise.all(clients.map((told) => told.until(has("open"))));
      for (let n = 0; n < MESSAGES; n += 1) {
        await topic.publish(n, { key: "k" });
        if (n !== 20 && n !== 40) continue;
        child.kill("SIGKILL");
        await endOf(child);
        await topic.publish(n + 1_000, { key: "k" });
        child = await serve();
      }
      const expected = Array.from({ length: MESSAGES }, (_, n) => (n === 20 || n === 40 ? [n, n + 1_000] : [n])).flat();
      await Promise.all(clients.map((told) => told.until(has("orders"), expected.length)));
      if (process.env["HOLDFAST_LIVE_CLIENTS"] !== undefined) {
        child.send("cost");
        const [{ rss, cpuMs }] = (await once(child, "message")) as [Cost];
        const seconds = ((performance.now() - began) / 1_000).toFixed(1);
        const [server, clients] = [rss, process.memoryUsage().rss].map((bytes) => Math.round(bytes / 2 ** 20));
        console.warn(
          `${transport}: ${CLIENTS} clients, ${seconds} s; the last server ${server} MiB, ${Math.round(cpuMs)} ms CPU; all clients ${clients} MiB`,
        );
      }
      for (const { client, events } of clients) {
        expect(events.filter((event) => !has("open")(event))).toEqual(expected.map((orders) => ({ orders })));
        client.close();
      }
    },
  );

  it("a producer that is killed: every chunk that it was told is written is there, once and in order; then `aborted`", async () => {
    const id = randomUUID();
    const child = mortals.start("produce", server.url, prefix, id);
    let acknowledged = -1;
    child.on("message", (n: number) => (acknowledged = n));
    const reading = (async () => {
      const seen: unknown[] = [];
      for await (const event of hf.stream<number>(id, { lease: "1s", takeover: "1s" }).read()) {
        seen.push(event.type === "chunk" ? event.value : event);
        if (seen.length === 300) child.kill("SIGKILL");
      }
      return seen;
    })();
    const seen = await reading;
    expect(seen.at(-1)).toEqual({ type: "aborted", reason: "the producer died" });
    expect(seen.slice(0, -1)).toEqual(Array.from({ length: seen.length - 1 }, (_, n) => n));
    expect(seen.length - 1).toBeGreaterThan(acknowledged);
  });
});
