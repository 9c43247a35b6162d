/**
 * E-mails that are sent once each, in the background: a mail server that is busy is tried again, an address that does not exist
 * is given up at once, and the sender that dies in the middle costs nothing but time.
 */
import { Discard, type Holdfast, type Queue, type QueueWorker, RetryAfter } from "holdfast";

export interface Email {
  readonly to: string;
  readonly subject: string;
}

/** What a mail server answers, in SMTP's own codes. */
export type Send = (
  email: Email,
  options: { readonly idempotencyKey: string; readonly signal: AbortSignal },
) => Promise<number>;

export function emailQueue(hf: Holdfast): Queue<Email, number> {
  return hf.queue<Email, number>("emails", { attempts: 8, backoff: { delay: "500ms", max: "10m" }, runTimeout: "30s" });
}

export function sendEmails(emails: Queue<Email, number>, send: Send): QueueWorker {
  return emails.work(
    async (job) => {
      // A run may be repeated: the mail server knows by the job's id what it has sent already.
      const code = await send(job.payload, { idempotencyKey: job.id, signal: job.signal });
      if (code === 421) throw new RetryAfter("1s", "the mail server is busy");
      if (code === 550) throw new Discard(`no such address: ${job.payload.to}`);
      if (code !== 250) throw new Error(`the mail server answered ${code}`);
      return code;
    },
    { concurrency: 20 },
  );
}
