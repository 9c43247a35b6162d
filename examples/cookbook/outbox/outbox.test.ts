// - an e-mail goes out for an order that was rolled back ... "sends one e-mail for each order that was saved"
// - other services hear of an order that was rolled back, or hear of two in the wrong order ... the same
// - a run that failed after its commit sends a second one .. the same
import { randomUUID } from "node:crypto";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import {
  confirmationQueue,
  type Database,
  migrate,
  orderEvents,
  placeOrder,
  relayOrders,
  sendConfirmations,
} from "./outbox.ts";

describe.each(backends("standalone", "embedded"))("cookbook: outbox [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let db: PGlite;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `cook-${randomUUID()}` });
    db = await PGlite.create();
    await migrate(db);
  });
  afterAll(async () => {
    await hf.close();
    await db.close();
  });

  /** Like a connection that is lost when its COMMIT has been carried out, each time for the first `losses` jobs. */
  function losingAnswers(losses: number): Database {
    let lost = 0;
    return {
      transaction: async (work) => {
        const value = await db.transaction(work);
        lost += 1;
        if (lost <= losses) throw new Error("connection lost");
        return value;
      },
    };
  }

  it("sends one e-mail for each order that was saved, also when runs are repeated", async () => {
    const [confirmations, events] = [confirmationQueue(hf), orderEvents(hf)];
    const to = { confirmations, events };
    await placeOrder(db, to, 1, "Ada");
    await placeOrder(db, to, 2, "Ada");
    await expect(placeOrder(db, to, 1, "Ada")).rejects.toThrow(/duplicate key/);
    await using relay = relayOrders(db, confirmations, events);
    await using worker = sendConfirmations(losingAnswers(2), confirmations);
    await until("both are done", () => worker.stats().completed === 2);
    expect(worker.stats().failed).toBe(2);
    await until("the others have heard of it", () => relay.stats().sent === 4);
    expect((await events.page({ key: "Ada" })).messages.map(({ payload }) => payload.placed)).toEqual([1, 2]);
    const { rows } = await db.query("SELECT order_id FROM mails ORDER BY order_id");
    expect(rows).toEqual([{ order_id: 1 }, { order_id: 2 }]);
  });
});
