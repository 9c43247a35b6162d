/** All ledgers of a scenario, put together: of each object its calls, its holds, and what their holders believed of them. */
import type { Span } from "../plan.ts";
import type { Asked, Entry, Result } from "./entry.ts";
import type { Hold } from "./lease-model.ts";

export interface Call {
  readonly id: string;
  readonly process: string;
  readonly asked: Asked;
  readonly at: number;
  /** Infinity where there was none; so far nothing is known of what it has done. */
  answeredAt: number;
  result: Result | undefined;
}

export type Belief = Extract<Entry, { readonly what: "believed" }>;

export interface HeldHistory {
  readonly call: Call;
  readonly on: string;
  readonly beliefs: Belief[];
  /** The call that ended it, in the view of its holder. */
  release: Call | undefined;
  /** When it may have been taken away, for a reason that is not its lease. */
  readonly voids: Span[];
  hold: Hold;
}

export interface History {
  readonly calls: readonly Call[];
  readonly holds: ReadonlyMap<string, HeldHistory>;
  readonly refusals: readonly Extract<Entry, { readonly what: "refused" }>[];
  readonly observed: readonly Extract<Entry, { readonly what: "observed" }>[];
}

/** So long after its process was killed, or had given it up, a request may still be executed: it lies in a server that stands still. */
const LATE_US = 5_000_000;

/** @param voids when all that was held may have been taken away, or brought back */
export function readHistory(
  ledgers: ReadonlyMap<string, readonly Entry[]>,
  voids: readonly Span[],
  ttlMs: number,
): History {
  const calls = new Map<string, Call>();
  const holds = new Map<string, HeldHistory>();
  const refusals: History["refusals"][number][] = [];
  const observed: History["observed"][number][] = [];
  for (const [process, entries] of ledgers) {
    for (const entry of entries) {
      if (entry.what === "called") {
        const { call: id, asked, at } = entry;
        calls.set(id, { id, process, asked, at, answeredAt: Infinity, result: undefined });
      } else if (entry.what === "answered") {
        const call = calls.get(entry.call)!;
        call.result = entry.result;
        call.answeredAt = entry.at;
        const grants = call.asked.do === "acquire" || call.asked.do === "resume" || call.asked.do === "enter";
        if (grants && entry.result.status === "ok") holds.set(call.id, heldBy(call));
      } else if (entry.what === "believed") holds.get(entry.hold)!.beliefs.push(entry);
      else if (entry.what === "refused") refusals.push(entry);
      else observed.push(entry);
    }
  }
  const all = [...calls.values()].sort((a, b) => a.at - b.at);
  for (const call of all) noteEnd(call, holds, ttlMs);
  for (const held of holds.values()) close(held, voids);
  return { calls: all, holds, refusals, observed };
}

export function isOk({ result }: Call): boolean {
  return result?.status === "ok";
}

/** One whose answer was lost is sent again, and refused then where what it had taken over has ended meanwhile. */
export function mayHaveTakenOver({ at, answeredAt, result }: Call, ttlMs: number): boolean {
  return result === undefined || result.status === "failed" || answeredAt - at >= ttlMs * 1_000;
}

function heldBy(call: Call): HeldHistory {
  return { call, on: call.asked.on, beliefs: [], release: undefined, voids: [], hold: undefined as unknown as Hold };
}

function noteEnd(call: Call, holds: ReadonlyMap<string, HeldHistory>, ttlMs: number): void {
  const { asked, at, answeredAt, result } = call;
  // While its outcome is not known, it may happen as long as a server may have it.
  const isClear = result !== undefined && result.status !== "failed";
  const span: Span = [at, isClear ? answeredAt : at + LATE_US];
  if (asked.do === "release" || asked.do === "leave") holds.get(asked.hold)!.release = call;
  else if (asked.do === "resume" && (isOk(call) || mayHaveTakenOver(call, ttlMs)))
    holds.get(asked.hold)!.voids.push(span);
  else if (asked.do === "force" && (isOk(call) || !isClear)) {
    for (const held of holds.values())
      if (held.on === asked.on && (!isClear || held.call.result!.fence === result.fence)) held.voids.push(span);
  }
}

function close(held: HeldHistory, voids: readonly Span[]): void {
  const { call, beliefs, release } = held;
  const { asked, result, at } = call;
  const believedUntil = Math.max(at, ...beliefs.filter((each) => each.held).map(deadline));
  const wasReleased = release !== undefined && isOk(release);
  const endedAt = wasReleased ? release.answeredAt : believedUntil;
  held.voids.push(...voids.filter(([from, to]) => at <= to && endedAt >= from));
  const grant = asked.do === "acquire" ? asked : undefined;
  held.hold = {
    id: call.id,
    fence: result!.fence,
    owner: grant?.owner,
    weight: grant?.weight ?? 1,
    mode: grant?.mode ?? "write",
    mayEndFrom: Math.min(wasReleased ? Infinity : believedUntil, ...held.voids.map(([from]) => from)),
    isVoided: held.voids.length > 0,
  };
}

/** Not before this moment it has ended, its holder says. */
export function deadline({ from, remainingMs }: Belief): number {
  return from + remainingMs * 1_000;
}

/** What was taken away is believed in until its holder hears of it: at its next renewal, or when its ttl is over. */
export function isExcused(held: HeldHistory, belief: Belief, ttlMs: number): boolean {
  return held.voids.some(([from, to]) => belief.to >= from && deadline(belief) <= to + ttlMs * 1_000);
}
