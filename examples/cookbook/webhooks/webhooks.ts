/**
 * Webhooks, delivered at least once with back-off, and in the end put aside for a person: an endpoint that is down for an hour misses
 * nothing, and one event is never queued twice however often its producer says so.
 */
import type { Holdfast, Queue, QueueAddResult, QueueWorker } from "holdfast";

export interface Delivery {
  /** The receiver can tell repeats by it. */
  readonly event: string;
  readonly url: string;
  readonly body: string;
}

export function webhookQueue(hf: Holdfast, firstDelay: `${number}ms` | `${number}s` = "10s"): Queue<Delivery> {
  return hf.queue<Delivery>("webhooks", { attempts: 10, backoff: { delay: firstDelay, max: "6h" }, runTimeout: "15s" });
}

/** Safe to call again after any failure: the event's own id is the job's. */
export async function announce(
  webhooks: Queue<Delivery>,
  delivery: Delivery,
): Promise<QueueAddResult<unknown>["status"]> {
  const { status } = await webhooks.add(delivery, { id: delivery.event });
  return status;
}

export function deliverWebhooks(webhooks: Queue<Delivery>): QueueWorker {
  return webhooks.work(
    async ({ payload: { event, url, body }, attempt, signal }) => {
      const headers = { "content-type": "application/json", "webhook-id": event, "webhook-attempt": String(attempt) };
      const response = await fetch(url, { method: "POST", headers, body, signal });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    },
    { concurrency: 50 },
  );
}
