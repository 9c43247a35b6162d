/**
 * Whatever is held by leases, as one process would have it: a set of holds, and the fence of the last one. The rules of a kind say which
 * holds go together. A hold leaves the set when it is released, resumed, ended by force, or not before `mayEndFrom`: when it may have
 * ended by itself. So another one that comes in, or a holder that believes in its hold after it has left, has no place in the model.
 */
import type { Model, Operation } from "../histories/linearize.ts";
import type { Mode } from "./entry.ts";

export interface Hold {
  readonly id: string;
  /** Undefined where a subject has none. */
  readonly fence: number | undefined;
  readonly owner: string | undefined;
  readonly weight: number;
  readonly mode: Mode;
  /** When its lease can have ended, as far as its holder knew; Infinity where it was released in time. */
  readonly mayEndFrom: number;
  /** It may have been taken away, and perhaps given back: what its holder is told may be either way. */
  readonly isVoided: boolean;
}

export type LeaseOp =
  | { readonly do: "acquired"; readonly hold: Hold }
  /** Of a waiter: an owner's hold may be handed over to it, and others of the owner find it there, before it hears of that or without. */
  | { readonly do: "waited"; readonly hold: Hold }
  /** Its holder takes it for held, or has extended it. */
  | { readonly do: "believed"; readonly hold: Hold }
  | { readonly do: "released"; readonly hold: Hold }
  /** Its holder was told that it has it no longer. */
  | { readonly do: "lost"; readonly hold: Hold }
  | { readonly do: "changed"; readonly hold: Hold; readonly mode: Mode; readonly fence: number | undefined }
  | { readonly do: "resumed"; readonly from: Hold; readonly hold: Hold }
  /** By force; the fence is that of the hold which was ended, if it is known. */
  | { readonly do: "forced"; readonly fence: number | undefined; readonly raisedTo: number | undefined }
  /** There was nothing to end by force. */
  | { readonly do: "missing" };

interface Held {
  readonly hold: Hold;
  readonly mode: Mode;
}

export interface Leases {
  readonly held: readonly Held[];
  readonly fence: number;
}

export interface Rules {
  /** Whether one more can be held beside these. */
  fits(beside: readonly Held[], one: Held): boolean;
  /** Whether its fence may follow the last one. */
  follows(fence: number, last: number, one: Held, beside: readonly Held[]): boolean;
}

/** One owner at a time, of whom any number of requests share one fence. `forgets`: the server, after a failover, which brings a hold back. */
export function mutex(forgets: boolean): Rules {
  return {
    fits: (beside, { hold }) => beside.every((other) => hold.owner !== undefined && other.hold.owner === hold.owner),
    follows(fence, last, { hold }, beside) {
      const isShared = beside.length > 0 || (forgets && hold.owner !== undefined);
      // Beside those of whom we have not heard it may have theirs.
      return (isShared && fence === last) || (beside.every(isUnheard) && fence > last);
    },
  };
}

function isUnheard({ hold }: Held): boolean {
  return hold.fence === undefined;
}

export function permits(limit: number): Rules {
  return {
    fits: (beside, { hold }) => beside.reduce((sum, other) => sum + other.hold.weight, hold.weight) <= limit,
    follows: (fence, last) => fence > last,
  };
}

/** Readers have the fence of the last writer, of whom we may not have heard, or whom the server has forgotten. */
export function readersAndWriter(forgets: boolean): Rules {
  return {
    fits: (beside, { mode }) =>
      beside.every((other) => mode !== "write" && other.mode !== "write" && (mode === "read" || other.mode === "read")),
    follows: (fence, last, { mode }) => (mode === "write" ? fence > last : forgets || fence >= last),
  };
}

export function leaseModel(rules: Rules): Model<Leases, LeaseOp> {
  const enter = (before: Leases, beside: readonly Held[], one: Held, fence: number | undefined): Leases[] => {
    if (!rules.fits(beside, one)) return [];
    if (fence === undefined) return [{ held: [...beside, one], fence: before.fence }];
    const isNext = rules.follows(fence, before.fence, one, beside);
    return isNext ? [{ held: [...beside, one], fence: Math.max(fence, before.fence) }] : [];
  };
  return {
    initial: { held: [], fence: 0 },
    step(state, { op, answer }) {
      const { held, fence } = state;
      const left = (): readonly Held[] => held.filter(({ hold }) => hold.mayEndFrom > answer);
      if (op.do === "missing") return left().length === 0 ? [{ held: [], fence }] : [];
      if (op.do === "forced") {
        const raised = Math.max(op.raisedTo ?? fence, fence);
        const isKnown = op.fence === undefined || (held.length > 0 && op.fence === fence);
        // One of whom we have not heard: its process died before it could say so.
        const isUnheard = left().length === 0 && op.fence !== undefined && op.fence > fence;
        const rises = op.raisedTo === undefined || op.raisedTo > (op.fence ?? fence);
        return (isKnown || isUnheard) && rises ? [{ held: [], fence: raised }] : [];
      }
      if (op.do === "waited") {
        if (held.some(({ hold }) => hold.id === op.hold.id)) return [state];
        const one = { hold: op.hold, mode: op.hold.mode };
        return [state, ...enter(state, held, one, undefined), ...enter(state, left(), one, undefined)];
      }
      if (op.do === "acquired") {
        const one = { hold: op.hold, mode: op.hold.mode };
        const ended = left();
        const beside = enter(state, held, one, op.hold.fence);
        return ended.length === held.length ? beside : [...beside, ...enter(state, ended, one, op.hold.fence)];
      }
      const of = op.do === "resumed" ? op.from : op.hold;
      const known = held.find(({ hold }) => hold === of);
      const others = held.filter((each) => each !== known);
      if (op.do === "lost") {
        if (known === undefined) return [state];
        // Its time is over; the server may have it for some longer, for others of its owner.
        return of.mayEndFrom <= answer ? [{ held: others, fence }, state] : [];
      }
      if (op.do === "believed") return known === undefined ? [] : [state];
      if (known === undefined && !of.isVoided) return [];
      if (known === undefined && op.do !== "resumed") return [state];
      if (op.do === "released") return [{ held: others, fence }];
      if (op.do === "resumed") return enter(state, others, { hold: op.hold, mode: op.hold.mode }, op.hold.fence);
      const changed = { hold: of, mode: op.mode };
      if (op.mode === "read") return [{ held: [...others, changed], fence }];
      return enter(
        state,
        others.filter(({ hold }) => hold.mayEndFrom > answer),
        changed,
        op.fence,
      );
    },
    key: ({ held, fence }) =>
      `${fence} ${held
        .map(({ hold, mode }) => hold.id + mode)
        .sort()
        .join(" ")}`,
  };
}

/** In words, for whoever reads what is broken. */
export function said({ call, answer, op }: Operation<LeaseOp>): string {
  const hold = "hold" in op ? ` ${op.hold.id} (fence ${op.hold.fence}, may end from ${op.hold.mayEndFrom})` : "";
  return `${op.do}${hold} [${call}, ${answer}]`;
}
