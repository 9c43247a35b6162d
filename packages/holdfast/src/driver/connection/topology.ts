/** Which node a command goes to. Implemented for one primary (standalone, Sentinel) and for a cluster. */
import {
  type Arg,
  type Caller,
  type Capabilities,
  type ChannelKind,
  type Route,
  type StateEvent,
  TransportError,
} from "../port.ts";
import type { Connection, Greeting } from "./connection.ts";
import type { Node } from "./node.ts";
import type { Address } from "./url.ts";

export interface Topology {
  readonly isClosed: boolean;
  /** Resolves with the first connection. Rejects when there is none within `connectTimeout`, or none is possible. */
  open(): Promise<Connection>;
  slotOf(key: Arg): number;
  /** One attempt, redirections followed. */
  attempt(args: readonly Arg[], route: Route, caller: Caller): void;
  /** The node that serves the route; undefined where that is not known, or would change by asking. */
  home(route: Route): Node | undefined;
  /** Throws a TransportError where no node serves the route. */
  nodeFor(route: Route): Node;
  /** The node at which a channel is to be subscribed. Throws a TransportError where there is none. */
  homeOf(kind: ChannelKind, channel: string): Node;
  primaries(): readonly Node[];
  /** A command failed on `node`. Must not throw. */
  learn(node: Address, error: TransportError, answeredBy: Connection): void;
  /** A node came or went. Must not throw. */
  notice(event: StateEvent): void;
  /** There are signs that what is known of the servers is out of date. Must not throw. */
  suspect(): void;
  close(): Promise<void>;
}

export function capabilitiesOf(greeting: Greeting): Omit<Capabilities, "fencing"> {
  return {
    engine: greeting.server === "valkey" ? "valkey" : "redis",
    version: greeting.version,
    cluster: greeting.mode === "cluster",
  };
}

export function unknownNode(route: { readonly node: string }): TransportError {
  return new TransportError("refused", `there is no primary ${route.node} (any more)`, { node: route.node });
}
