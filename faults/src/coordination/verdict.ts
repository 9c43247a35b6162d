/** What a history says of each promise. */
import { linearize, type Model, type Operation } from "../histories/linearize.ts";
import type { Span } from "../plan.ts";
import { COUNT, PARTIES, PERMITS } from "./entry.ts";
import { barrierBroken } from "./barrier.ts";
import { type Call, type History, isExcused, mayHaveTakenOver } from "./history.ts";
import { latchModel, type LatchOp } from "./latch-model.ts";
import {
  type Hold,
  leaseModel,
  type LeaseOp,
  mutex,
  permits,
  readersAndWriter,
  type Rules,
  said,
} from "./lease-model.ts";

export interface VerdictTerms {
  readonly ttlMs: number;
  /** When all keys were deleted. */
  readonly flushes: readonly Span[];
  /** When writes that were answered may have been taken back. */
  readonly losses: readonly Span[];
}

export interface Verdict {
  readonly operations: number;
  readonly holds: number;
  /** Calls of which nobody knows what they have done. */
  readonly unanswered: number;
  /** Holds that their holders had lost before they released them. */
  readonly lostHolds: number;
  /** What was believed of holds that a fault, a takeover or force had taken away. */
  readonly excused: number;
  readonly broken: string[];
}

function rulesOf(kind: string, { flushes, losses }: VerdictTerms): Rules | undefined {
  if (kind === "lock" || kind === "election") return mutex(losses.length > 0);
  if (kind === "semaphore") return permits(PERMITS);
  return kind === "rwlock" ? readersAndWriter(losses.length + flushes.length > 0) : undefined;
}

export function judge(history: History, terms: VerdictTerms): Verdict {
  const { calls, holds } = history;
  const broken: string[] = [];
  let excused = 0;
  let operations = 0;
  const check = <State, Op>(
    on: string,
    model: Model<State, Op>,
    ops: readonly Operation<Op>[],
    words: (op: Operation<Op>) => string,
  ): void => {
    operations += ops.length;
    const found = linearize(model, ops);
    if (found.status === "ok") return;
    if (found.status === "undecided") {
      broken.push(`${on}: too much at a time to be checked, at ${words(found.operation)}`);
      return;
    }
    const states = found.states.slice(0, 3).map((state) => model.key(state));
    const beside = found.beside.slice(0, 3).map(words);
    broken.push(
      `${on}: ${words(found.operation)} has no place after ${states.join(" | ")} beside ${beside.join(", ")}`,
    );
  };

  for (const on of new Set(calls.map(({ asked }) => asked.on))) {
    const [kind = ""] = on.split(":");
    const own = calls.filter(({ asked }) => asked.on === on);
    const rules = rulesOf(kind, terms);
    if (rules !== undefined) {
      const ops = own.flatMap((call) => operationsOf(call, history, terms.ttlMs));
      for (const held of holds.values()) {
        if (held.on !== on) continue;
        for (const belief of held.beliefs) {
          if (!belief.held) continue;
          if (isExcused(held, belief, terms.ttlMs)) excused += 1;
          else ops.push({ call: belief.from, answer: belief.to, op: { do: "believed", hold: held.hold } });
        }
      }
      check(on, leaseModel(rules), ops, said);
    } else if (kind === "latch" && terms.losses.length === 0) {
      const flushes = terms.flushes.map(([call, answer]) => ({ call, answer, op: { do: "flush" } as LatchOp }));
      check(on, latchModel(COUNT), [...own.flatMap(latchOperations), ...flushes], (each) => JSON.stringify(each));
    } else if (kind === "barrier") broken.push(...barrierBroken(own, history, PARTIES, terms));
  }
  broken.push(...wrongBeliefs(history), ...wrongRefusals(history, terms), ...wrongTerms(history));
  return {
    operations,
    holds: holds.size,
    unanswered: calls.filter(({ result }) => result === undefined || result.status === "failed").length,
    lostHolds: [...holds.values()].filter(
      ({ release }) => release?.result?.status === "expired" || release?.result?.status === "stolen",
    ).length,
    excused,
    broken,
  };
}

function operationsOf(call: Call, { holds }: History, ttlMs: number): Operation<LeaseOp>[] {
  const { asked, at, answeredAt, result } = call;
  const status = result?.status ?? "failed";
  const when = { call: at, answer: status === "failed" ? Infinity : answeredAt };
  const one = (op: LeaseOp): Operation<LeaseOp>[] => [{ ...when, op }];
  const fence = result?.fence;
  if (asked.do === "acquire") {
    // What nobody has heard of only keeps others out; but those of its owner find it there.
    const waited: LeaseOp[] = asked.owner === undefined ? [] : [{ do: "waited", hold: unheard(asked.owner) }];
    const acquired: LeaseOp[] = status === "ok" ? [{ do: "acquired", hold: holds.get(call.id)!.hold }] : [];
    return [...waited, ...acquired].map((op) => ({ ...when, op }));
  }
  if (asked.do === "force") {
    if (status === "missing") return one({ do: "missing" });
    return one({ do: "forced", fence, raisedTo: result?.raisedTo });
  }
  if (!("hold" in asked)) return [];
  const { hold } = holds.get(asked.hold)!;
  if (asked.do === "resume") {
    if (status === "ok") return one({ do: "resumed", from: hold, hold: holds.get(call.id)!.hold });
    if (!mayHaveTakenOver(call, ttlMs)) return [];
    return [{ ...when, answer: Infinity, op: { do: "forced", fence: hold.fence, raisedTo: undefined } }];
  }
  const isUnclear = status === "failed";
  if (asked.do === "release") return one({ do: status === "ok" || isUnclear ? "released" : "lost", hold });
  if (asked.do === "downgrade")
    return isUnclear || status === "ok" ? one({ do: "changed", hold, mode: "read", fence }) : [];
  if (asked.do === "upgrade" && status === "ok") return one({ do: "changed", hold, mode: "write", fence });
  if (asked.do !== "extend" || isUnclear) return [];
  // By its own clock it may be lost before the server has ended it, which then still lets it be released.
  if (status !== "ok") return hold.mayEndFrom === Infinity ? [] : one({ do: "lost", hold });
  return hold.isVoided ? [] : one({ do: "believed", hold });
}

function unheard(owner: string): Hold {
  return { id: `?${owner}`, fence: undefined, owner, weight: 1, mode: "write", mayEndFrom: 0, isVoided: false };
}

function latchOperations({ asked, at, answeredAt, result }: Call): Operation<LatchOp>[] {
  const isOver = result?.status === "ok";
  const when = { call: at, answer: isOver ? answeredAt : Infinity };
  if (asked.do === "wait") return isOver ? [{ ...when, op: { do: "wait", round: result.round! } }] : [];
  const known = isOver ? { round: result.round! } : {};
  if (asked.do === "reset") return [{ ...when, op: { do: "reset", ...known } }];
  if (asked.do !== "count") return [];
  const { id } = asked;
  const counted: Operation<LatchOp> = { ...when, op: { do: "count", id, ...known } };
  if (!isOver) return [counted];
  return [counted, { ...when, op: { do: "left", id, round: result.round!, remaining: result.remaining! } }];
}

/** A signal that has not fired while its hold is over, or has while it is not. */
function wrongBeliefs({ holds }: History): string[] {
  return [...holds.values()].flatMap(({ call, beliefs }) =>
    beliefs
      .filter(({ held, aborted }) => !held && !aborted)
      .map(() => `${call.id}: lost ${call.asked.on}, and its signal did not abort`),
  );
}

/** The guarded resource refuses only those who have lost what they held. */
function wrongRefusals({ refusals, holds }: History, { ttlMs }: VerdictTerms): string[] {
  return refusals.flatMap(({ hold, at }) => {
    const held = holds.get(hold)!;
    const later = held.beliefs.find((belief) => belief.held && belief.from >= at);
    if (later === undefined || isExcused(held, later, ttlMs)) return [];
    return [`${hold}: the resource of ${held.on} refused its fence ${held.hold.fence} while it was held`];
  });
}

/** One leader per term, whoever says so. */
function wrongTerms({ observed, holds }: History): string[] {
  const leaders = new Map<string, string>();
  const seen = [
    ...[...holds.values()]
      .filter(({ on, hold }) => on.startsWith("election:") && hold.fence !== undefined)
      .map(({ on, call, hold }) => ({ on, term: hold.fence!, leader: call.process })),
    ...observed,
  ];
  return seen.flatMap(({ on, term, leader }) => {
    const known = leaders.get(`${on} ${term}`) ?? leader;
    leaders.set(`${on} ${term}`, known);
    return known === leader ? [] : [`${on}: the leader of term ${term} is ${known}, and ${leader}`];
  });
}
