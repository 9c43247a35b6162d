/** What a barrier promises: together in, and together out. */
import type { Span } from "../plan.ts";
import { type Call, type History, isOk } from "./history.ts";

/** So long after it was asked for, or given up, an entry may still stand: its process stood still, or the server did. */
const UNHEARD_US = 15_000_000;

interface Terms {
  readonly ttlMs: number;
  readonly flushes: readonly Span[];
  readonly losses: readonly Span[];
}

export function barrierBroken(calls: readonly Call[], { holds }: History, parties: number, terms: Terms): string[] {
  const enters = calls.filter(({ asked }) => asked.do === "enter");
  const rounds = new Map<number, Call[]>();
  for (const enter of enters.filter(isOk)) {
    const { round = 0 } = enter.result!;
    rounds.set(round, [...(rounds.get(round) ?? []), enter]);
  }
  const leaving = (enter: Call): Call | undefined => holds.get(enter.id)!.release;
  const isDoubtful = (from: number, to: number): boolean =>
    [...terms.flushes, ...terms.losses].some((span) => span[0] <= to && span[1] + terms.ttlMs * 1_000 >= from);
  return [...rounds].flatMap(([round, inside]) => {
    const first = Math.min(...inside.map(({ at }) => at));
    const last = Math.max(
      ...inside.map((enter) => leaving(enter)?.answeredAt ?? enter.answeredAt).filter(Number.isFinite),
    );
    if (isDoubtful(first, last)) return [];
    const broken: string[] = [];
    if (inside.length > parties) broken.push(`${inside.length} were in round ${round} of a barrier of ${parties}`);
    const letIn = Math.min(...inside.map(({ answeredAt }) => answeredAt));
    // One that died, or gave up, at the door may have been let in.
    const isUnheard = ({ at, answeredAt, result }: Call): boolean =>
      result?.status !== "ok" && at <= letIn && (result === undefined ? at : answeredAt) >= letIn - UNHEARD_US;
    const known = inside.filter(({ at }) => at <= letIn).length;
    if (known + enters.filter(isUnheard).length < parties)
      broken.push(`round ${round} of a barrier of ${parties} was entered by ${known}`);
    for (const leave of inside.map(leaving)) {
      if (leave === undefined || !isOk(leave)) continue;
      const gone = inside.filter((other) => (leaving(other)?.at ?? Infinity) <= leave.answeredAt).length;
      if (gone < parties) broken.push(`${leave.id} was past round ${round} of a barrier with ${gone}`);
    }
    return broken;
  });
}
