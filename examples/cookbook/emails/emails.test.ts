// - a busy mail server costs the e-mail nothing ........ "sends each e-mail once, ..."
// - an address that does not exist is tried for ever ... "gives up on an unknown address at once"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type Holdfast } from "holdfast";
import { backends } from "../../../packages/holdfast/test/support/backends.ts";
import { emailQueue, type Send, sendEmails } from "./emails.ts";

describe.each(backends("standalone", "embedded"))("cookbook: e-mails [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `cook-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it("sends each e-mail once, also when the mail server is busy, and gives up on an unknown address at once", async () => {
    const sent = new Map<string, number>();
    let isBusy = true;
    const send: Send = async ({ to }, { idempotencyKey }) => {
      if (to.startsWith("nobody")) return 550;
      if (isBusy) {
        isBusy = false;
        return 421;
      }
      sent.set(idempotencyKey, (sent.get(idempotencyKey) ?? 0) + 1);
      return 250;
    };
    const emails = emailQueue(hf);
    await using _worker = sendEmails(emails, send);
    const to = ["ada@example.com", "grace@example.com", "nobody@example.com"];
    const jobs = await emails.addMany(
      to.map((address) => ({ to: address, subject: "Welcome" })),
      { result: true },
    );
    const results = await Promise.all(jobs.map((job) => job.result()));
    expect(results).toEqual([
      { status: "ok", value: 250 },
      { status: "ok", value: 250 },
      { status: "dead", message: "no such address: nobody@example.com" },
    ]);
    expect([...sent.values()]).toEqual([1, 1]);
    expect((await emails.dead.page()).jobs).toMatchObject([{ failures: 1, payload: { to: "nobody@example.com" } }]);
  });
});
