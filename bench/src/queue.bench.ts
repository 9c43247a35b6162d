/**
 * Jobs of 120 bytes against BullMQ and bee-queue: producers alone, workers on jobs that wait already, both at once, and one lone
 * job. `--jobs` sets how many jobs a case has; those in which one job follows the other have a tenth, and `--quick` is a size
 * that takes about two minutes.
 */
import type { Package } from "./queue/port.ts";
import {
  adding,
  addingAndRunning,
  flowing,
  pickingUp,
  processing,
  type QueueFigures,
  type QueueRun,
} from "./queue/runs.ts";
import { rowOf } from "./row.ts";
import type { BenchServer, MeasuredSuite, Row, RunOptions } from "./suite.ts";

const PEERS = ["bullmq", "bee-queue"] as const;
const FULL = 100_000;
const QUICK = 3_000;
const LONE = 1_000;

interface QueueCase {
  readonly name: string;
  readonly unit: Row["unit"];
  readonly run: QueueRun;
}

function rate(name: string, run: (name: string) => QueueRun): QueueCase {
  return { name, unit: "jobs/s", run: run(name) };
}

function casesOf(jobs: number): QueueCase[] {
  const some = Math.ceil(jobs / 10);
  const each = <T>(values: readonly T[], make: (value: T) => QueueCase[]): QueueCase[] => values.flatMap(make);
  return [
    rate("add, 1 in flight", (name) => adding(name, some, 1)),
    rate("add, 100 in flight", (name) => adding(name, jobs, 100)),
    rate("add in bulk", (name) => adding(name, jobs, undefined)),
    ...each([1, 10, 100], (inFlight) => [
      rate(`add and run in one process, ${inFlight} in flight`, (name) =>
        addingAndRunning(name, inFlight === 1 ? some : jobs, inFlight),
      ),
    ]),
    ...each([1, 4], (workers) => [
      rate(`add in bulk and process, concurrency 100, ${workers} workers`, (name) =>
        flowing(name, { jobs, workers, concurrency: 100, handlerMs: 0 }),
      ),
    ]),
    ...each([0, 1], (handlerMs) =>
      each([1, 10, 100], (concurrency) =>
        each([1, 4], (workers) => [
          rate(
            `process, ${handlerMs === 0 ? "no-op" : "1 ms"}, concurrency ${concurrency}, ${workers} workers`,
            (name) => processing(name, { jobs: concurrency === 1 ? some : jobs, workers, concurrency, handlerMs }),
          ),
        ]),
      ),
    ),
    { name: "pickup of a lone job", unit: "ms", run: pickingUp("pickup of a lone job", Math.min(LONE, some)) },
  ];
}

async function* measure(server: BenchServer, options: RunOptions): AsyncGenerator<Row> {
  const jobs = options.jobs ?? (options.isQuick ? QUICK : FULL);
  for (const { name, unit, run } of casesOf(jobs)) {
    if (!name.includes(options.text)) continue;
    const rounds = [];
    for (let at = 0; at < (options.rounds ?? 1); at += 1) rounds.push(await round(server, run, at));
    for (const what of Object.keys(rounds[0]!.holdfast)) for (const peer of PEERS) yield row(what, unit, peer, rounds);
  }
}

type Round = Readonly<Record<Package, Readonly<Record<string, QueueFigures>>>>;

/** Each package in turn; who begins changes from round to round. */
async function round(server: BenchServer, run: QueueRun, at: number): Promise<Round> {
  const names: Package[] = ["holdfast", ...PEERS];
  const figures: Partial<Record<Package, Readonly<Record<string, QueueFigures>>>> = {};
  for (const name of at % 2 === 0 ? names : names.toReversed()) figures[name] = await run(server, name);
  return figures as Round;
}

function row(what: string, unit: Row["unit"], peer: Package, rounds: readonly Round[]): Row {
  return rowOf(
    what,
    unit,
    peer,
    rounds.map((round) => ({ ours: round.holdfast[what]!, peer: round[peer][what]! })),
  );
}

export const queueSuite: MeasuredSuite = { measure };
