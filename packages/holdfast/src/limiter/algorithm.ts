/** What a way of counting consists of: its scripts, their arguments, and what their replies mean. */
import type { Arg } from "../driver/port.ts";
import type { BatchScript } from "../core/script/script.ts";
import type { LimitDecision, LimitPolicy } from "./decision.ts";

export interface StateKey {
  readonly state: Arg;
}

export interface Algorithm<ConsumeArgs = unknown, PeekArgs = unknown, Reply = unknown> {
  readonly policy: LimitPolicy;
  /** Names the state beside others of the same id: two ways of counting never read each other's. */
  readonly part: string;
  readonly consume: BatchScript<StateKey, ConsumeArgs, Reply>;
  readonly peek: BatchScript<StateKey, PeekArgs, Reply>;
  readonly peekArgs: PeekArgs;
  consumeArgs(cost: number): ConsumeArgs;
  /** The meaning of a reply of `consume`. */
  consumed(reply: Reply, cost: number): LimitDecision;
  /** The meaning of a reply of `peek`: what a `consume` of `cost` would have been told. */
  peeked(reply: Reply, cost: number): LimitDecision;
}
