// - a card is charged twice by a client that tries again ... "charges once, however often the client tries"
// - a decline is tried again, or a failure is kept .......... "a decline is an outcome, a failure is not"
// - another payment gets the response of the first .......... "refuses another order under the same key"
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import http from "node:http";
import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { type Handler, type Order, payments, type Provider } from "./payments.ts";

function serverOf(handler: Handler): http.Server {
  return http.createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { method = "GET", url = "/", headers } = request;
      const body = Readable.toWeb(request) as ReadableStream;
      const given = { method, headers: headers as Record<string, string>, body, duplex: "half" } as RequestInit;
      const answered = await handler(new Request(`http://shop.test${url}`, given));
      response.writeHead(answered.status, Object.fromEntries(answered.headers)).end(await answered.text());
    };
    void answer().catch(() => response.writeHead(500).end());
  });
}

describe.each(backends("standalone", "embedded"))("cookbook: payments [$name]", ({ url, options }) => {
  const handles: Holdfast[] = [];
  const servers: http.Server[] = [];
  let charges: string[];
  let failures: number;
  const provider: Provider = {
    async charge(key, { card }) {
      if (failures > 0) {
        failures -= 1;
        throw new Error("the provider is away");
      }
      charges.push(key);
      return card === "empty" ? { declined: "insufficient_funds" } : { id: `pay_${charges.length}` };
    },
  };

  beforeAll(async () => {
    const prefix = `cook-${randomUUID()}`;
    for (let at = 0; at < 2; at += 1) {
      const hf = await connect(url, { ...options, prefix });
      handles.push(hf);
      const server = serverOf(payments(hf, provider));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      servers.push(server);
    }
  });
  afterAll(async () => {
    for (const server of servers) server.close();
    await Promise.all(handles.map((hf) => hf.close()));
  });
  beforeEach(() => {
    charges = [];
    failures = 0;
  });

  async function pay(at: number, order: Order, key?: string): Promise<readonly [number, unknown, string | null]> {
    const response = await fetch(`http://127.0.0.1:${(servers[at]!.address() as AddressInfo).port}/payments`, {
      method: "POST",
      headers: { "x-customer": "ada", "content-type": "application/json", ...(key && { "idempotency-key": key }) },
      body: JSON.stringify(order),
    });
    return [
      response.status,
      await response.json().catch(() => undefined),
      response.headers.get("idempotency-replayed"),
    ];
  }

  it("charges once, however often the client tries, and whichever process it reaches", async () => {
    const order = { card: "4242", cents: 500 };
    const key = randomUUID();
    const all = await Promise.all([0, 1, 0, 1].map((at) => pay(at, order, key)));
    expect(charges).toEqual([`ada:${key}`]);
    expect(new Set(all.map(([status, body]) => JSON.stringify([status, body])))).toEqual(
      new Set([JSON.stringify([201, { payment: "pay_1", cents: 500 }])]),
    );
    expect(all.filter(([, , replayed]) => replayed === "true")).toHaveLength(3);
    expect((await pay(0, order))[0]).toBe(400);
  });

  it("a decline is an outcome, a failure is not", async () => {
    const [declined, failed] = [randomUUID(), randomUUID()];
    const empty = { card: "empty", cents: 500 };
    expect(await pay(0, empty, declined)).toEqual([402, { error: "insufficient_funds" }, null]);
    expect(await pay(1, empty, declined)).toEqual([402, { error: "insufficient_funds" }, "true"]);
    failures = 1;
    expect((await pay(0, { card: "4242", cents: 1 }, failed))[0]).toBe(500);
    expect(await pay(1, { card: "4242", cents: 1 }, failed)).toEqual([201, { payment: "pay_2", cents: 1 }, null]);
    expect(charges).toHaveLength(2);
  });

  it("refuses another order under the same key", async () => {
    const key = randomUUID();
    await pay(0, { card: "4242", cents: 1 }, key);
    expect((await pay(1, { card: "4242", cents: 2 }, key))[0]).toBe(422);
    expect(charges).toHaveLength(1);
  });
});
