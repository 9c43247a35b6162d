/** What a history says of each promise of a topic. */
import type { History, Publication, Run } from "./history.ts";
import { CONCURRENCY, type Kind, KINDS, PREFETCH, WINDOW } from "./message.ts";

export interface VerdictTerms {
  /** When writes that were answered may have been taken back, in `ticks()`: from, to. */
  readonly losses: readonly (readonly [number, number])[];
  /** When the server was emptied: what was published before and not handled is gone, and each subscription has to be told so. */
  readonly flushes: readonly number[];
  /** How often what went wrong. */
  readonly faults: Readonly<Partial<Record<string, number>>>;
  /** Failovers that nobody asked for. */
  readonly unasked: number;
}

export interface Verdict {
  readonly accepted: number;
  readonly runs: number;
  readonly lost: number;
  /** Messages that were begun before the one in front of them, of the same key, had ended. */
  readonly outOfOrder: number;
  /** Handlers that ended well for a message that had ended well before, by kind. */
  readonly duplicates: Readonly<Record<Kind, number>>;
  /** Of `ordered` as many as its changes of owners may make; of `shared` as many as those had in work who died, stood still, or were cut off. */
  readonly bound: Readonly<Record<Kind, number>>;
  /**
   * Messages that one owner handled again, or one delivery twice: as after a commit that did not count, or a claim that counted twice. And messages of which
   * a former delivery has had the last word.
   */
  readonly stale: number;
  /** Dead letters of messages that were rejected. */
  readonly dead: number;
  readonly gaps: number;
  readonly resets: number;
  readonly broken: string[];
}

const MOST_SAID = 5;
const WORKERS = 3;

export function judge(history: History, terms: VerdictTerms): Verdict {
  const { publications, runs, gaps } = history;
  const broken: string[] = [];
  const accepted = [...publications.values()].filter((publication) => isAccepted(publication, terms));
  const runsOf = (kind: Kind): ReadonlyMap<string, readonly Run[]> => runsByKind[kind];
  const runsByKind = { ordered: byCall(runs, "ordered"), shared: byCall(runs, "shared") };
  const say = (found: readonly string[]): number => {
    broken.push(...found.slice(0, MOST_SAID));
    return found.length;
  };
  const lost = say(
    KINDS.flatMap((kind) =>
      accepted
        .filter(({ payload }) => firstEnd(runsOf(kind).get(payload.call)) === Infinity)
        .map(({ payload, key }) => `${kind}: lost ${payload.call}, message ${payload.place} of key ${key}`),
    ),
  );
  const outOfOrder = say(overtaken(accepted, runsByKind.ordered, staleStarts(runs)));
  const stale =
    say(KINDS.flatMap((kind) => handledAgain(kind, runsOf(kind), terms))) +
    say(overruled(accepted, runsByKind.shared, terms));
  const duplicates = { ordered: repeated(runsByKind.ordered, terms), shared: repeated(runsByKind.shared, terms) };
  const bound = { ordered: changesOfOwners(runs) * WINDOW, shared: inWork(terms, changesOfOwners(runs)) };
  for (const kind of KINDS)
    if (duplicates[kind] > bound[kind])
      broken.push(`${kind}: ${duplicates[kind]} duplicates, and no more than ${bound[kind]} may be`);
  say(wrongLetters(history, accepted, runsByKind, terms));
  if (terms.flushes.length === 0 && terms.losses.length === 0)
    say(gaps.map(({ kind, gap }) => `${kind}: a ${gap} was reported, and nothing was lost`));
  for (const flushedAt of terms.flushes)
    for (const kind of KINDS)
      if (
        hasSurvivor(runsOf(kind), flushedAt) &&
        !gaps.some((gap) => gap.kind === kind && gap.gap === "reset" && gap.at >= flushedAt)
      )
        broken.push(`${kind}: the server was emptied, and no reset was reported`);
  say(KINDS.flatMap((kind) => untold(kind, history)));
  return {
    accepted: accepted.length,
    runs: runs.length,
    lost,
    outOfOrder,
    duplicates,
    bound,
    stale,
    dead: history.letters.length,
    gaps: gaps.filter(({ gap }) => gap === "gap").length,
    resets: gaps.filter(({ gap }) => gap === "reset").length,
    broken,
  };
}

/** Answered, and not taken back by a failover, as all replicas had it. */
function isAccepted(publication: Publication, { flushes, losses }: VerdictTerms): boolean {
  const { status, beganAt, answeredAt, isReplicated } = publication;
  if (status !== "ok" && status !== "duplicate") return false;
  // Its answer may have been read long after it was executed.
  if (flushes.some((flushedAt) => beganAt <= flushedAt)) return false;
  return isReplicated || !losses.some(([from, to]) => from <= answeredAt && beganAt <= to);
}

/** Somebody who has handled something before, and goes on: who comes after that cannot know that there was anything. */
function hasSurvivor(runsOf: ReadonlyMap<string, readonly Run[]>, at: number): boolean {
  const runs = [...runsOf.values()].flat();
  const before = new Set(runs.filter(({ startedAt }) => startedAt < at).map(({ consumer }) => consumer));
  return runs.some(({ startedAt, consumer }) => startedAt > at && before.has(consumer));
}

function byCall(runs: readonly Run[], kind: Kind): Map<string, Run[]> {
  const grouped = new Map<string, Run[]>();
  for (const run of runs) {
    if (run.kind !== kind) continue;
    const known = grouped.get(run.call);
    if (known === undefined) grouped.set(run.call, [run]);
    else known.push(run);
  }
  return grouped;
}

/** One that has asked for a dead letter has ended too. */
function firstEnd(runs: readonly Run[] = []): number {
  return Math.min(...runs.filter(isFinal).map(({ endedAt }) => endedAt));
}

function isFinal({ end }: Run): boolean {
  return end === "well" || end === "rejected";
}

/** Those that ended again, though a failover has not taken back the first time. */
function repeated(runsOf: ReadonlyMap<string, readonly Run[]>, terms: VerdictTerms): number {
  return [...runsOf.values()]
    .map((of) => of.filter((run) => isFinal(run) && !isExcused(run.endedAt, terms)).length - 1)
    .reduce((sum, more) => sum + Math.max(more, 0), 0);
}

/**
 * What consumers of the shared subscription may have had in work when they died, stood still, or heard nothing of the server. @param lapses of leases of
 * the same length, as on a machine that has much else to do
 */
function inWork({ faults, unasked }: VerdictTerms, lapses: number): number {
  const each = CONCURRENCY + PREFETCH;
  const count = (names: readonly string[]): number => names.reduce((sum, name) => sum + (faults[name] ?? 0), 0);
  const ofServer = ["restart", "disconnect", "pause", "failover", "crash", "lose", "hang", "migrate", "flush"];
  return (lapses + count(["kill", "freeze", "stop"]) + (count(ofServer) + unasked) * WORKERS) * each;
}

/** What a former delivery has ended, which counts no more: the newest has failed, or died, and nobody had the message after it. */
function overruled(
  accepted: readonly Publication[],
  runsOf: ReadonlyMap<string, readonly Run[]>,
  terms: VerdictTerms,
): string[] {
  return accepted.flatMap(({ payload: { call } }) => {
    const all = runsOf.get(call) ?? [];
    const last = all.reduce(
      (newest: Run | undefined, run) => (newest === undefined || isAfter(run, newest) ? run : newest),
      undefined,
    );
    if (last === undefined || isFinal(last) || all.some((run) => isExcused(run.endedAt, terms))) return [];
    if (!all.some(isFinal)) return [];
    return [`shared: delivery ${last.delivery} of ${call} ended ${last.end}, and a former one had the last word`];
  });
}

function isAfter(run: Run, other: Run): boolean {
  return run.offset === other.offset ? run.delivery > other.delivery : run.startedAt > other.startedAt;
}

/** A message that is rejected is a dead letter, once, and no other is one. */
function wrongLetters(
  { letters }: History,
  accepted: readonly Publication[],
  runsByKind: Readonly<Record<Kind, ReadonlyMap<string, readonly Run[]>>>,
  terms: VerdictTerms,
): string[] {
  return KINDS.flatMap((kind) => {
    const counts = new Map<string, number>();
    for (const { call } of letters.filter((letter) => letter.kind === kind))
      counts.set(call, (counts.get(call) ?? 0) + 1);
    const wrong = [...counts].flatMap(([call, count]) => {
      const isRejected = runsByKind[kind].get(call)?.some(({ end }) => end === "rejected") === true;
      if (!isRejected) return [`${kind}: ${call} is dead, and was not rejected`];
      return count > 1 && terms.losses.length === 0 ? [`${kind}: ${call} has ${count} dead letters`] : [];
    });
    const missing = accepted.filter(({ payload }) => {
      const endedAt = firstEnd(runsByKind[kind].get(payload.call));
      return payload.rejects && endedAt < Infinity && !counts.has(payload.call) && !isExcused(endedAt, terms);
    });
    return [...wrong, ...missing.map(({ payload }) => `${kind}: ${payload.call} was rejected, and is no dead letter`)];
  });
}

/**
 * Where the log has lost its end, a later message has an offset that is not above that of one which this consumer has had: it has to be told before it
 * begins with it. Who has owned the partition meanwhile may have been told instead.
 */
function untold(kind: Kind, { publications, runs, gaps }: History): string[] {
  const seen = new Map<string, Run[]>();
  const found = new Set<string>();
  for (const run of runs) {
    if (run.kind !== kind) continue;
    const { consumer, partition, offset, call, startedAt } = run;
    const id = `${consumer} ${partition}`;
    const before = seen.get(id) ?? [];
    seen.set(id, before);
    const published = publications.get(call);
    const lost = before.find((each) => {
      const known = publications.get(each.call)!;
      if (each.offset < offset || each.call === call || published === undefined) return false;
      if (!(known.answeredAt < published.beganAt) || isOwnedBetween(runs, each, run)) return false;
      return !gaps.some(
        (gap) =>
          gap.kind === kind &&
          gap.gap === "reset" &&
          gap.consumer === consumer &&
          gap.partition === partition &&
          gap.at >= known.beganAt &&
          gap.at <= startedAt,
      );
    });
    if (lost !== undefined)
      found.add(`${kind}: ${consumer} was not told that ${lost.call} of partition ${partition} is lost`);
    before.push(run);
  }
  return [...found];
}

/** Of `ordered`: whether the partition was another consumer's. */
function isOwnedBetween(runs: readonly Run[], from: Run, to: Run): boolean {
  return (
    from.kind === "ordered" &&
    runs.some(
      ({ kind, partition, fence, consumer }) =>
        kind === "ordered" &&
        partition === from.partition &&
        consumer !== from.consumer &&
        fence > from.fence &&
        fence <= to.fence,
    )
  );
}

/** Those of owners whose partition had another one by then: what they write is refused by its fence. */
function staleStarts(runs: readonly Run[]): ReadonlySet<Run> {
  const highest = new Map<number, number>();
  const stale = new Set<Run>();
  for (const run of runs) {
    if (run.kind !== "ordered") continue;
    const known = highest.get(run.partition) ?? 0;
    if (run.fence < known) stale.add(run);
    else highest.set(run.partition, run.fence);
  }
  return stale;
}

/** Of each key: no message may begin before the one in front of it has ended well. */
function overtaken(
  accepted: readonly Publication[],
  runsOf: ReadonlyMap<string, readonly Run[]>,
  stale: ReadonlySet<Run>,
): string[] {
  const keys = new Map<string, Publication[]>();
  for (const publication of accepted) keys.set(publication.key, [...(keys.get(publication.key) ?? []), publication]);
  const found: string[] = [];
  for (const [key, publications] of keys) {
    const inOrder = publications.toSorted((a, b) => a.payload.place - b.payload.place);
    for (const [at, { payload }] of inOrder.entries()) {
      const before = inOrder[at - 1]?.payload;
      const began = runsOf.get(payload.call)?.find((run) => !stale.has(run));
      if (before === undefined || began === undefined) continue;
      // What never ended is lost, and has been said to be.
      const endedAt = firstEnd(runsOf.get(before.call));
      if (endedAt < Infinity && began.startedAt < endedAt)
        found.push(
          `ordered: key ${key}: ${began.consumer} began message ${payload.place} before ${before.place} had ended`,
        );
    }
  }
  return found;
}

/** By one owner after it had ended well there, or by two consumers as one delivery. */
function handledAgain(kind: Kind, runsOf: ReadonlyMap<string, readonly Run[]>, terms: VerdictTerms): string[] {
  const found: string[] = [];
  for (const [call, runs] of runsOf) {
    const seen = new Map<string, Run>();
    for (const run of runs) {
      const id = kind === "ordered" ? `fence ${run.fence}` : `delivery ${run.delivery} of offset ${run.offset}`;
      const before = seen.get(id);
      seen.set(id, run);
      if (before === undefined || isExcused(before.startedAt, terms)) continue;
      if (kind === "shared" || isFinal(before))
        found.push(`${kind}: ${call} was handled again with ${id}, by ${run.consumer} after ${before.consumer}`);
    }
  }
  return found;
}

function changesOfOwners(runs: readonly Run[]): number {
  const owners = new Set(
    runs.filter(({ kind }) => kind === "ordered").map(({ partition, fence }) => `${partition} ${fence}`),
  );
  const partitions = new Set(runs.map(({ partition }) => partition));
  return Math.max(owners.size - partitions.size, 0);
}

function isExcused(at: number, { losses, flushes }: VerdictTerms): boolean {
  return flushes.some((flushedAt) => at <= flushedAt) || losses.some(([from, to]) => from <= at && at <= to);
}
