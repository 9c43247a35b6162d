/** What must hold once the faults are over. */
import { existsSync, statSync } from "node:fs";
import type { Holdfast } from "holdfast";
import { until } from "../../../packages/holdfast/test/support/servers.ts";
import type { Crew } from "../crew.ts";
import type { Payload } from "./job.ts";
import { queueOf } from "./ours.ts";

const WITHIN_MS = 20_000;
const WAVE = 30;
const LANES = ["high", "normal", "low"] as const;
const PER_LANE = 30;
const PAGE = 200;

let calls = 0;
const quietJob = (): Payload => ({ call: `quiet-${(calls += 1)}`, kind: "quiet", delayMs: 0 });

/** A worker that lives and answers but takes no jobs any more has not survived. */
export async function workersThatWork(
  hf: Holdfast,
  crew: Crew,
  log: (line: string) => void,
): Promise<readonly string[]> {
  const queue = queueOf(hf);
  // One that has only just been forked has no ledger yet.
  const begun = crew.livingWorkers.filter(({ ledger }) => sizeOf(ledger) > 0);
  const before = new Map(begun.map((worker) => [worker, sizeOf(worker.ledger)]));
  const idle = (): string[] =>
    [...before].filter(([worker, size]) => sizeOf(worker.ledger) === size).map(([{ name }]) => name);
  const wave = async (): Promise<boolean> => {
    if (idle().length === 0) return true;
    const { waiting } = await queue.counts();
    if (waiting < WAVE) await queue.addMany(Array.from({ length: WAVE }, quietJob));
    return false;
  };
  const from = performance.now();
  await until("every worker has run something", wave, WITHIN_MS).catch(() => undefined);
  log(`every worker has run something after ${Math.round(performance.now() - from)} ms`);
  const wedged = idle().map((name) => `${name} takes no jobs any more`);
  await until("the last jobs are over", async () => {
    const { waiting, active } = await queue.counts();
    return waiting + active === 0;
  });
  return wedged;
}

/** One worker of concurrency 1, and jobs that were added one after the other: by lane, and in each lane as they came. */
export async function inOrder(hf: Holdfast): Promise<readonly string[]> {
  const queue = queueOf(hf);
  const added: Record<string, string[]> = { high: [], normal: [], low: [] };
  await queue.pause();
  for (let at = 0; at < PER_LANE; at += 1) {
    for (const priority of LANES) {
      const { id } = await queue.add(quietJob(), { priority });
      added[priority]!.push(id);
    }
  }
  const ran: string[] = [];
  const worker = queue.work(
    (job) => {
      ran.push(job.id);
      return job.payload.call;
    },
    { concurrency: 1 },
  );
  await queue.resume();
  const expected = LANES.flatMap((lane) => added[lane]!);
  try {
    await until("the ordered jobs have run", () => ran.length >= expected.length, WITHIN_MS);
  } finally {
    await worker.close();
  }
  const wrong = expected.findIndex((id, at) => ran[at] !== id);
  return wrong === -1 ? [] : [`out of order: at place ${wrong} ran ${ran[wrong]} and not ${expected[wrong]}`];
}

/** Returns the ids of the dead letters, and removes them. */
export async function deadIds(hf: Holdfast): Promise<Set<string>> {
  const queue = queueOf(hf);
  const ids = new Set<string>();
  for (;;) {
    const { jobs } = await queue.dead.page({ limit: PAGE });
    if (jobs.length === 0) return ids;
    for (const { id } of jobs) {
      ids.add(id);
      await queue.remove(id);
    }
  }
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
