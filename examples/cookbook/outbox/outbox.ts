/**
 * An order and its e-mail: the order is saved in PostgreSQL, the e-mail is sent by a worker. Both happen, or neither: the job is a row of the
 * order's own transaction. So does a message for all other services, which a topic keeps. And once: the relay and the worker may die at any moment, and what they do again has no second effect.
 */
import type { Holdfast, Queue, QueueWorker, Topic } from "holdfast";
import { type OutboxRelay, type SqlDatabase, sqlInbox, sqlOutbox } from "holdfast/outbox";

export interface Confirmation {
  readonly order: number;
  readonly to: string;
}

export interface OrderPlaced {
  readonly placed: number;
  readonly customer: string;
}

/** PGlite; with pg, a function that runs another one between BEGIN and COMMIT. */
export type Database = SqlDatabase;

const outbox = sqlOutbox();
const inbox = sqlInbox();

export function confirmationQueue(hf: Holdfast): Queue<Confirmation> {
  return hf.queue<Confirmation>("confirmations", { attempts: 8, backoff: { delay: "100ms" } });
}

/** Whatever happens to orders. It knows ids for as long as the relay remembers. */
export function orderEvents(hf: Holdfast): Topic<OrderPlaced> {
  return hf.topic<OrderPlaced>("orders", { partitions: 4, dedupeFor: "1d" });
}

export function migrate(db: Database): Promise<void> {
  return db.transaction(async (tx) => {
    await outbox.migrate(tx);
    await inbox.migrate(tx);
    await tx.query("CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, customer text NOT NULL)");
    await tx.query("CREATE TABLE IF NOT EXISTS mails (order_id int NOT NULL, body text NOT NULL)");
  });
}

/** Throws where the order exists already: then no e-mail is sent either, and nobody hears of it. */
export function placeOrder(
  db: Database,
  { confirmations, events }: { readonly confirmations: Queue<Confirmation>; readonly events: Topic<OrderPlaced> },
  order: number,
  to: string,
): Promise<void> {
  return db.transaction(async (tx) => {
    await outbox.add(tx, confirmations, { order, to });
    await outbox.publish(tx, events, { placed: order, customer: to }, { key: to });
    await tx.query("INSERT INTO orders VALUES ($1, $2)", [order, to]);
  });
}

export function relayOrders(db: Database, confirmations: Queue<Confirmation>, events: Topic<OrderPlaced>): OutboxRelay {
  return outbox.relay({ database: db, queues: [confirmations], topics: [events], poll: "50ms" });
}

/** The mail server of this recipe is a table: what is committed there, with the inbox's row, is sent once. */
export function sendConfirmations(db: Database, confirmations: Queue<Confirmation>): QueueWorker {
  return confirmations.work(async (job) => {
    const { order, to } = job.payload;
    await db.transaction((tx) =>
      inbox.once(tx, confirmations, job, () =>
        tx.query("INSERT INTO mails VALUES ($1, $2)", [order, `Dear ${to}, we have your order ${order}.`]),
      ),
    );
  });
}
