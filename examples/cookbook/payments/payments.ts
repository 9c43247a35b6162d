/**
 * Payments over HTTP that a client may send again as often as it likes: the card is charged once for each Idempotency-Key, and each repeat gets the first
 * one's response. The provider takes the same key: a process that dies between the charge and the response leaves a charge that the next run finds.
 */
import type { Holdfast } from "holdfast";
import { idempotencyRun, idempotent } from "holdfast/fetch";

export interface Order {
  readonly card: string;
  readonly cents: number;
}

export interface Provider {
  /** Charges once per key. */
  charge(key: string, order: Order): Promise<{ readonly id: string } | { readonly declined: string }>;
}

export type Handler = (request: Request) => Promise<Response>;

/** POST /payments. With Hono, Express or Fastify it is `idempotent` of `holdfast/hono` and so on, in front of the route. */
export function payments(hf: Holdfast, provider: Provider): Handler {
  const once = idempotent(hf, {
    name: "payments",
    ttl: "24h",
    required: true,
    // In a real service: who the access token is of.
    scope: (request) => request.header("x-customer") ?? "",
    // A repeat that comes while the first runs gets its response too, if it takes no longer than this.
    wait: "10s",
  });
  return once(async (request) => {
    const customer = request.headers.get("x-customer") ?? "";
    const order = (await request.json()) as Order;
    const { key } = idempotencyRun(request)!;
    const charged = await provider.charge(`${customer}:${key}`, order);
    // A refusal is an outcome: stored, and sent again. What the provider throws is none: the repeat tries again.
    if ("declined" in charged) return Response.json({ error: charged.declined }, { status: 402 });
    const headers = { location: `/payments/${charged.id}` };
    return Response.json({ payment: charged.id, cents: order.cents }, { status: 201, headers });
  });
}
