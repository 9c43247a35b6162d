/** What a barrier promises: together in, and together out. */
import type { Span } from "../plan.ts";
import { ENTER_MS } from "./entry.ts";
import { type Call, type History, isOk } from "./history.ts";

/** So long the server may take to say its time, which is then taken to be as much ahead: it stands still, or starts again. */
const CLOCK_MS = 1_500;

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
    // One that died, or gave up, at the door may have been let in: it is not after it would have given up, and stays for a ttl. One that has
    // not heard of it (its process stood still, or the server did) breaks the round, and asks again: it is in the next one.
    const unheardUs = (ENTER_MS + terms.ttlMs + CLOCK_MS) * 1_000;
    const isBroken = !inside.map(leaving).some((leave) => leave !== undefined && isOk(leave));
    const isUnheard = ({ at, answeredAt, result }: Call): boolean => {
      if (at > letIn || at < letIn - unheardUs) return false;
      return result?.status !== "ok" || (isBroken && result.round! > round && answeredAt >= letIn);
    };
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
