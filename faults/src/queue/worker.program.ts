/** A process with one worker, written as a user would write it, that writes down each run. */
import "../skew.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { Discard } from "holdfast";
import { Ledger, ticks } from "../ledger.ts";
import { serve } from "../member.ts";
import { Random } from "../random.ts";
import type { QueueConfig, WorkerCounts, WorkerEntry } from "./job.ts";
import { openSubject } from "./open.ts";
import type { RunningJob } from "./subject.ts";
import { tickPayload } from "./tick.ts";

const [configText, ledgerPath] = process.argv.slice(2);
const config = JSON.parse(configText!) as QueueConfig;
const ledger = new Ledger<WorkerEntry>(ledgerPath!);
const random = new Random(config.seed);

const { subject } = openSubject(config);
const worker = subject.work(async (job) => {
  const { id, fence, addedAt, scheduledFor } = job;
  const payload = scheduledFor === undefined ? job.payload : tickPayload(scheduledFor);
  ledger.write({ what: "started", at: ticks(), id, fence, addedAt, payload });
  try {
    await sleep(random.integer(0, config.runMs));
    behave(job);
  } catch (error) {
    ledger.write({ what: "ended", at: ticks(), id, fence, how: "thrown" });
    throw error;
  }
  ledger.write({ what: "ended", at: ticks(), id, fence, how: "well" });
  return payload.call;
});

function behave({ payload, attempt, crashes }: RunningJob): void {
  if (payload.kind === "failing" && attempt < 3) throw new Error("not this time");
  if (payload.kind === "discarded") throw new Discard("never");
  if (payload.kind === "deadly" && crashes === 0) process.kill(process.pid, "SIGKILL");
}

let written = "";
function writeCounts(): void {
  const counts: WorkerCounts = worker.counts();
  if (JSON.stringify(counts) === written) return;
  written = JSON.stringify(counts);
  ledger.write({ what: "counts", at: ticks(), counts });
}

setInterval(writeCounts, 20);
let closing = "nothing";
serve(
  async () => {
    closing = "worker";
    await worker.close();
    writeCounts();
    closing = "connection";
    await subject.close();
  },
  () => ({ closing, ...worker.counts() }),
);
