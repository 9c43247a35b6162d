// - an endpoint that fails misses the event ............ "delivers again until the endpoint accepts"
// - an event that is announced twice is delivered twice  "queues an event once"
import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { announce, deliverWebhooks, webhookQueue } from "./webhooks.ts";

describe.each(backends("standalone", "embedded"))("cookbook: webhooks [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let endpoint: Server;
  const attempts: string[] = [];

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `cook-${randomUUID()}` });
    endpoint = createServer((request, response) => {
      const { "webhook-id": event, "webhook-attempt": attempt } = request.headers;
      attempts.push(`${String(event)} ${String(attempt)}`);
      response.writeHead(attempts.length < 3 ? 503 : 204).end();
    });
    await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    await hf.close();
    endpoint.close();
  });

  it("queues an event once, and delivers it again until the endpoint accepts", async () => {
    const webhooks = webhookQueue(hf, "20ms");
    const { port } = endpoint.address() as AddressInfo;
    const delivery = { event: "order-1", url: `http://127.0.0.1:${port}/`, body: '{"total":12}' };
    expect(await announce(webhooks, delivery)).toBe("ok");
    expect(await announce(webhooks, delivery)).toBe("duplicate");
    await using worker = deliverWebhooks(webhooks);
    await until("it is delivered", () => worker.stats().completed === 1);
    expect(attempts).toEqual(["order-1 1", "order-1 2", "order-1 3"]);
    expect(worker.stats()).toMatchObject({ failed: 2, dead: 0 });
  });
});
