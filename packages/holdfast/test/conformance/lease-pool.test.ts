/**
 * Exclusive connections that are made ready for their next borrower, at a server that is silent meanwhile. What could go wrong, and the test for each:
 * - closing does not find the connection, and the borrower waits for ever ... "closes a connection that is being made ready"
 * - its borrower has gone meanwhile, and it stays open beside the pool ....... "keeps to its limit when a borrower has gone ..."
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openTransport } from "../../src/driver/node-redis/open.ts";
import type { Transport, TransportLease } from "../../src/driver/port.ts";
import { type Proxy, startProxy, startStandalone, type Standalone, until } from "../support/servers.ts";
import { failureOf } from "./support.ts";

const never = (): AbortSignal => new AbortController().signal;

describe("a pool of leases [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
  });
  beforeEach(() => proxy.heal());
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  /** The server is silent, and what one lease has sent may still be executed, so that the idle one is not ready before that is fenced off. */
  const withOneIdle = async (): Promise<Transport> => {
    const patient = { connectTimeout: "10m", pingInterval: "10m", drainTimeout: 0 } as const;
    const transport = await openTransport({ url: proxy.url, maxLeases: 2, ...patient });
    const lease = (): Promise<TransportLease> => transport.lease(undefined, never());
    const [idle, busy] = [await lease(), await lease()];
    idle.release();
    proxy.freeze();
    const sent = proxy.sawRequest("GET");
    busy.attempt(["GET", "x"]).catch(() => undefined);
    await sent;
    busy.destroy();
    return transport;
  };

  it("closes a connection that is being made ready", async () => {
    const transport = await withOneIdle();
    const asked = failureOf(transport.lease(undefined, never()));
    // By then it has been taken.
    await new Promise(setImmediate);
    await transport.close();
    expect(await asked).toMatchObject({ kind: "closed" });
    await until("no connection is left", () => proxy.connections === 0);
  });

  it("keeps to its limit when a borrower has gone before its connection was ready", async () => {
    const transport = await withOneIdle();
    const gone = new AbortController();
    const asked = failureOf(transport.lease(undefined, gone.signal));
    await new Promise(setImmediate);
    gone.abort(new Error("enough"));
    await proxy.heal();
    expect(await asked).toMatchObject({ kind: "refused" });
    const leases = [await transport.lease(undefined, never()), await transport.lease(undefined, never())];
    // The shared one and two leases.
    await until("there are three connections", () => proxy.connections === 3);
    for (const lease of leases) lease.release();
    await transport.close();
  });
});
