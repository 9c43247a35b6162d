/** A way of counting: its scripts, their arguments, and what their replies mean. */
import type { Arg } from "../driver/port.ts";
import type { BatchScript } from "../core/script/script.ts";
import type { LimiterDecision, LimiterPolicy } from "./decision.ts";

export interface StateKey {
  readonly state: Arg;
}

export interface Algorithm<ConsumeArgs = unknown, PeekArgs = unknown, Reply = unknown> {
  readonly policy: LimiterPolicy;
  /** Part of the state's key: two ways of counting never read each other's. */
  readonly part: string;
  /** Calls in one script: about 1 ms of the server's time. */
  readonly maxItems: number;
  readonly consume: BatchScript<StateKey, ConsumeArgs, Reply>;
  readonly peek: BatchScript<StateKey, PeekArgs, Reply>;
  consumeArgs(cost: number): ConsumeArgs;
  peekArgs(cost: number): PeekArgs;
  /** What a reply of `consume` means. */
  consumed(reply: Reply, cost: number): LimiterDecision;
  /** What a reply of `peek` means: what `consume` of `cost` would have returned. */
  peeked(reply: Reply, cost: number): LimiterDecision;
}
