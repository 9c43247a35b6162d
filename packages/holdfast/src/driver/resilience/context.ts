/** What all calls of one driver share. */
import type { Route, Transport } from "../port.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { Breakers } from "./breaker.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { LoadedScripts } from "./loaded-scripts.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { WaitingRoom } from "./waiting-room.ts";

export interface CallContext {
  readonly runtime: Runtime;
  readonly transport: Transport;
  readonly wheel: DeadlineWheel;
  readonly budget: RetryBudget;
  readonly waiting: WaitingRoom;
  readonly breakers: Breakers;
  readonly scripts: LoadedScripts;
  /** Set by `close()`: nothing new is begun. */
  closing: boolean;
}

/** The node that `route` leads to: "" where that is not known. */
export function nodeOf(transport: Transport, route: Route): string {
  return transport.home(route)?.id ?? "";
}
