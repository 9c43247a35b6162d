/** What a history says of each promise of a topic. */
import type { History, Publication, Run } from "./history.ts";
import { type Kind, WINDOW } from "./message.ts";

export interface VerdictTerms {
  /** The subscriptions that there were. */
  readonly kinds: readonly Kind[];
  /** When writes that were answered may have been taken back, in `ticks()`: from, to. */
  readonly losses: readonly (readonly [number, number])[];
  /** When the server was emptied: what was published before and not handled is gone, and each subscription has to be told so. */
  readonly flushes: readonly number[];
}

export interface Verdict {
  readonly accepted: number;
  readonly runs: number;
  readonly lost: number;
  /** Messages that were begun before the one in front of them, of the same key, had ended. */
  readonly outOfOrder: number;
  /** Handlers that ended well for a message that had ended well before; of `ordered`. */
  readonly duplicates: number;
  /** As many as its changes of owners may make. */
  readonly bound: number;
  /** Messages that one owner handled again, or one delivery twice: as after a commit that did not count, or a claim that counted twice. */
  readonly stale: number;
  readonly gaps: number;
  readonly resets: number;
  readonly broken: string[];
}

const MOST_SAID = 5;

export function judge({ publications, runs, gaps }: History, terms: VerdictTerms): Verdict {
  const broken: string[] = [];
  const accepted = [...publications.values()].filter(
    ({ status, answeredAt }) => (status === "ok" || status === "duplicate") && !isExcused(answeredAt, terms),
  );
  const runsOf = new Map(terms.kinds.map((kind) => [kind, byCall(runs.filter((run) => run.kind === kind))] as const));
  const say = (found: readonly string[]): number => {
    broken.push(...found.slice(0, MOST_SAID));
    return found.length;
  };
  const lost = say(
    terms.kinds.flatMap((kind) =>
      accepted
        .filter(({ payload }) => firstEnd(runsOf.get(kind)!.get(payload.call)) === Infinity)
        .map(({ payload, key }) => `${kind}: lost ${payload.call}, message ${payload.place} of key ${key}`),
    ),
  );
  const ordered = runsOf.get("ordered") ?? new Map<string, Run[]>();
  const outOfOrder = say(overtaken(accepted, ordered, staleStarts(runs)));
  const stale = say(terms.kinds.flatMap((kind) => handledAgain(kind, runsOf.get(kind)!, terms)));
  const duplicates = [...ordered.values()]
    .map((of) => of.filter(({ end }) => end === "well").length - 1)
    .reduce((sum, more) => sum + Math.max(more, 0), 0);
  const bound = changesOfOwners(runs) * WINDOW;
  if (duplicates > bound) broken.push(`ordered: ${duplicates} duplicates, and no more than ${bound} may be`);
  if (terms.flushes.length === 0 && terms.losses.length === 0)
    say(gaps.map(({ kind, gap }) => `${kind}: a ${gap} was reported, and nothing was lost`));
  for (const flushedAt of terms.flushes)
    for (const kind of terms.kinds)
      if (!gaps.some((gap) => gap.kind === kind && gap.gap === "reset" && gap.at >= flushedAt))
        broken.push(`${kind}: the server was emptied, and no reset was reported`);
  return {
    accepted: accepted.length,
    runs: runs.length,
    lost,
    outOfOrder,
    duplicates,
    bound,
    stale,
    gaps: gaps.filter(({ gap }) => gap === "gap").length,
    resets: gaps.filter(({ gap }) => gap === "reset").length,
    broken,
  };
}

function byCall(runs: readonly Run[]): Map<string, Run[]> {
  const grouped = new Map<string, Run[]>();
  for (const run of runs) grouped.set(run.call, [...(grouped.get(run.call) ?? []), run]);
  return grouped;
}

function firstEnd(runs: readonly Run[] = []): number {
  return Math.min(...runs.filter(({ end }) => end === "well").map(({ endedAt }) => endedAt));
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
      if (kind === "shared" || before.end === "well")
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
