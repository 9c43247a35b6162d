/**
 * An order in steps over three services that share no transaction: each step is done once, and if the order cannot be completed what was done is
 * undone in reverse, whichever process dies in between. Each service takes the order's id as idempotency key, as a step whose process died
 * before its result was stored is done again.
 */
import { Discard, type Holdfast, type Queue, type QueueWorker } from "holdfast";

export interface Order {
  readonly sku: string;
  readonly count: number;
  readonly card: string;
}

export interface Shop {
  reserve(key: string, sku: string, count: number): Promise<string>;
  release(reservation: string): Promise<void>;
  charge(key: string, card: string): Promise<string>;
  refund(payment: string): Promise<void>;
  ship(key: string, reservation: string): Promise<string>;
}

export function orderQueue(hf: Holdfast): Queue<Order, { readonly parcel: string }> {
  return hf.queue<Order, { readonly parcel: string }>("orders", { attempts: 3, backoff: { delay: "20ms", max: "1m" } });
}

export function fulfil(orders: Queue<Order, { readonly parcel: string }>, shop: Shop): QueueWorker {
  return orders.work(
    async (job) => {
      const { sku, count, card } = job.payload;
      const reservation = await job.step("reserve", () => shop.reserve(job.id, sku, count));
      await job.compensate("release", () => shop.release(reservation));
      const payment = await job.step("charge", () => shop.charge(job.id, card));
      await job.compensate("refund", () => shop.refund(payment));
      if (count > 10) {
        // No slot is held meanwhile, however long that takes.
        const approval = await job.waitFor<{ readonly by: string }>("approved", { timeout: "3d" });
        if (approval.status === "expired") throw new Discard("nobody approved the order");
      }
      return { parcel: await job.step("ship", () => shop.ship(job.id, reservation)) };
    },
    { concurrency: 20 },
  );
}
