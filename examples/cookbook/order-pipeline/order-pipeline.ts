/**
 * An order goes through three services: it is placed, paid and shipped. Each service is a subscription that does its part and publishes the
 * result for the next one. A process may die at any line: its messages are handled again by another one, in the order of each customer. What is done twice
 * has no second effect, since each part is named by the order: the payment provider knows a charge by its id, and a topic knows a message by its `id`.
 */
import type { Duration, Holdfast, Topic, TopicSubscription } from "holdfast";

export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly cents: number;
}

/** Charges a card; for the same order once, however often it is asked. */
export type Charge = (order: Order) => Promise<void>;

const SETTINGS = { partitions: 4, keep: "7d", keepUnread: true } as const;
type Stage = "orders" | "payments" | "shipments";

export const topicOf = (hf: Holdfast, stage: Stage): Topic<Order> => hf.topic<Order>(stage, SETTINGS);

const publish = (hf: Holdfast, stage: Stage, order: Order): Promise<unknown> =>
  topicOf(hf, stage).publish(order, { key: order.customer, id: order.id });

/** Once it resolves the order is in the pipeline, once, also where the shop sends it again. */
export async function placeOrder(hf: Holdfast, order: Order): Promise<void> {
  await publish(hf, "orders", order);
}

/** A process of the payment service; as many as you like. */
export function takePayments(hf: Holdfast, charge: Charge, lease: Duration = "10s"): TopicSubscription {
  return topicOf(hf, "orders").subscribe(
    "payments",
    async ({ payload: order }) => {
      await charge(order);
      await publish(hf, "payments", order);
    },
    { start: "start", lease },
  );
}

/** A process of the shipping service. */
export function shipPaid(hf: Holdfast, lease: Duration = "10s"): TopicSubscription {
  const handler = async ({ payload: order }: { readonly payload: Order }): Promise<void> => {
    await publish(hf, "shipments", order);
  };
  return topicOf(hf, "payments").subscribe("shipping", handler, { start: "start", lease });
}
