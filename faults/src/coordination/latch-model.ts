/** A latch, as one process would have it: who has counted down in which round. */
import type { Model } from "../histories/linearize.ts";

export type LatchOp =
  /** Without a round: its answer was lost. */
  | { readonly do: "count"; readonly id: string; readonly round?: number }
  /** What one is told that has counted down. It is sent again where the answer was lost, and told then how many are left by that time. */
  | { readonly do: "left"; readonly id: string; readonly round: number; readonly remaining: number }
  | { readonly do: "wait"; readonly round: number }
  | { readonly do: "reset"; readonly round?: number }
  /** FLUSHALL, of a server that may have been another's. */
  | { readonly do: "flush" };

interface LatchState {
  /** Undefined: none, or one of which nothing is known but that it is higher than `above`. */
  readonly round: number | undefined;
  readonly above: number;
  readonly ids: readonly string[];
}

export function latchModel(count: number): Model<LatchState, LatchOp> {
  return {
    initial: { round: undefined, above: 0, ids: [] },
    step(state, { op }) {
      const { round, above, ids } = state;
      if (op.do === "flush") return [state, { round: undefined, above: round ?? above, ids: [] }];
      if (op.do === "wait") {
        if (ids.length < count || (round === undefined ? op.round <= above : op.round !== round)) return [];
        return [{ round: op.round, above: op.round, ids }];
      }
      if (op.do === "reset") {
        const next = { round: op.round, above: op.round ?? round ?? above, ids: [] };
        if (op.round === undefined || op.round > (round ?? above)) return [next];
        // Another has reset it since this one looked.
        return op.round === round ? [state] : [];
      }
      if (op.do === "left") {
        // One that was reset since.
        if (round !== undefined && op.round < round) return op.remaining === 0 ? [state] : [];
        const isTold = op.round === round && ids.includes(op.id);
        return isTold && op.remaining === Math.max(count - ids.length, 0) ? [state] : [];
      }
      const counted = ids.includes(op.id) ? ids : [...ids, op.id].sort();
      if (op.round === undefined) return [{ round, above, ids: counted }];
      if (round === undefined ? op.round <= above : op.round !== round) return [];
      return [{ round: op.round, above: op.round, ids: counted }];
    },
    key: ({ round, above, ids }) => `${round} ${above} ${ids.join(" ")}`,
  };
}
