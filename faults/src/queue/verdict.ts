/** What a history says of each promise of a queue. */
import type { Addition, History, Run, WorkerHistory } from "./history.ts";

export interface VerdictTerms {
  /** When writes that were answered may have been taken back, in `ticks()`: from, to. A job that was added then is accepted once it is on every replica. */
  readonly losses: readonly (readonly [number, number])[];
  readonly deadIds: ReadonlySet<string>;
}

export interface Verdict {
  readonly accepted: number;
  /** Jobs that were run to an end. */
  readonly completed: number;
  readonly dead: number;
  readonly runs: number;
  /** Ends beyond the first one of each job. */
  readonly duplicates: number;
  /** What was ended and not confirmed when its worker died or lost its lease, plus what was confirmed and then lost by a failover. */
  readonly bound: number;
  /** Of one worker. */
  readonly mostUnflushed: number;
  /** Confirmations of runs whose job had been claimed again. */
  readonly stale: number;
  readonly lost: number;
  readonly broken: string[];
}

export function judge(history: History, terms: VerdictTerms): Verdict {
  const { additions, workers, runsOf } = history;
  const broken: string[] = [];
  const accepted = [...additions.values()].filter(
    ({ status, isReplicated, answeredAt }) => status === "ok" && (isReplicated || !isWithin(answeredAt, terms.losses)),
  );
  const lost = accepted.filter((addition) => !isOver(addition, history, terms.deadIds));
  for (const { payload, id } of lost.slice(0, 5)) broken.push(`lost: ${payload.kind} job ${id} (${payload.call})`);
  for (const runs of runsOf.values()) broken.push(...wrongRuns(runs, terms));
  broken.push(...enteredTwice(history));
  // What is lost with a primary takes its names with it.
  if (terms.losses.length === 0) broken.push(...namesTwice(history));
  broken.push(...wrongResults(accepted));

  const superseded = (worker: WorkerHistory): number =>
    worker.runs.filter((run) => run.end === "well" && runsOf.get(run.payload.call)!.at(-1) !== run).length;
  let [stale, bound, mostUnflushed] = [0, 0, 0];
  for (const worker of workers) {
    const ended = worker.runs.filter(({ end }) => end === "well");
    const unflushed = Math.max(ended.length - worker.counts.completed, 0);
    const reverted = ended.filter(({ endedAt }) => isWithin(endedAt, terms.losses)).length;
    mostUnflushed = Math.max(mostUnflushed, unflushed);
    bound += unflushed + reverted;
    const tooMany = superseded(worker) - unflushed - reverted;
    if (tooMany <= 0) continue;
    stale += tooMany;
    broken.push(`${worker.name}: ${tooMany} acknowledgements were confirmed whose jobs were run again`);
  }
  const ends = [...runsOf.values()].map((runs) => runs.filter(({ end }) => end === "well").length);
  const duplicates = ends.reduce((sum, count) => sum + Math.max(count - 1, 0), 0);
  if (duplicates > bound) broken.push(`${duplicates} duplicates, and no more than ${bound} may be`);
  const confirmed = workers.reduce((sum, { counts }) => sum + counts.completed, 0);
  const completed = ends.filter((count) => count > 0).length;
  if (confirmed > completed + bound) broken.push(`${confirmed} confirmations of ${completed} jobs`);
  return {
    accepted: accepted.length,
    completed,
    dead: terms.deadIds.size,
    runs: workers.reduce((sum, worker) => sum + worker.runs.length, 0),
    duplicates,
    bound,
    mostUnflushed,
    stale,
    lost: lost.length,
    broken,
  };
}

function isOver({ id, payload }: Addition, { runsOf }: History, deadIds: ReadonlySet<string>): boolean {
  if (payload.kind === "discarded") return deadIds.has(id!);
  return runsOf.get(payload.call)?.some(({ end }) => end === "well") ?? false;
}

/** Of one job: each run has a higher fence than the ones before it, and none comes too soon. */
function wrongRuns(runs: readonly Run[], { losses }: VerdictTerms): string[] {
  const broken: string[] = [];
  for (const [at, run] of runs.entries()) {
    const before = runs[at - 1];
    const { id, fence, payload, addedAt, worker } = run;
    if (before !== undefined && fence <= before.fence && !isWithin(before.startedAt, losses))
      broken.push(
        `${payload.kind} job ${id}: ${worker.name} runs it with fence ${fence} after ${before.worker.name} with ${before.fence}`,
      );
    const dueAt = payload.dueAt ?? addedAt + payload.delayMs;
    if (fence < dueAt * 1_000 && addedAt > 0)
      broken.push(
        `${payload.kind} job ${id} ran ${Math.round(dueAt - fence / 1_000)} ms too early, added at ${addedAt}`,
      );
  }
  return broken;
}

/** A repeated call of `add` must not make a second job. */
function enteredTwice({ runsOf }: History): string[] {
  const broken: string[] = [];
  for (const [call, runs] of runsOf) {
    const ids = new Set(runs.map(({ id }) => id));
    if (ids.size > 1) broken.push(`call ${call} made several jobs: ${[...ids].join(", ")}`);
  }
  return broken;
}

/** While a job is not over, no other one with its id or unique key is accepted. */
function namesTwice({ additions, runsOf }: History): string[] {
  const first = new Map<string, Addition>();
  const broken: string[] = [];
  for (const addition of additions.values()) {
    if (addition.name === undefined || addition.status !== "ok") continue;
    const before = first.get(addition.name);
    first.set(addition.name, addition);
    if (before === undefined) continue;
    const startedAt = runsOf.get(before.payload.call)?.[0]?.startedAt ?? Infinity;
    if (addition.answeredAt < startedAt)
      broken.push(`${addition.name} was accepted twice: ${before.id}, ${addition.id}`);
  }
  return broken;
}

function wrongResults(accepted: readonly Addition[]): string[] {
  return accepted
    .filter(({ result, payload }) => result !== undefined && result !== payload.call)
    .map(({ payload, result }) => `the result of ${payload.call} is that of ${String(result)}`);
}

function isWithin(at: number, spans: readonly (readonly [number, number])[]): boolean {
  return spans.some(([from, to]) => from <= at && at <= to);
}
