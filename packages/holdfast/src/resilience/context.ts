/** What all calls of one driver share. */
import type { Route, Transport } from "../driver/port.ts";
import type { Breakers } from "./breaker.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { WaitingRoom } from "./waiting-room.ts";

export interface CallContext {
  readonly transport: Transport;
  readonly wheel: DeadlineWheel;
  readonly budget: RetryBudget;
  readonly waiting: WaitingRoom;
  readonly breakers: Breakers;
  /** Set by `close()`: nothing new is begun. */
  closing: boolean;
}

/** The node that `route` leads to, as far as it can be told without the transport: "" where it cannot. */
export function nodeOf(transport: Transport, route: Route): string {
  if (typeof route === "object" && "node" in route) return route.node;
  const nodes = transport.nodes();
  return nodes.length === 1 ? nodes[0]!.id : "";
}
