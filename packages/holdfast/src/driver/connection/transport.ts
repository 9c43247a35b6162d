/** The transport over single connections of some client: topology, routing and reconnection are ours. */
import {
  type Arg,
  type Caller,
  type Capabilities,
  type ChannelKind,
  type ChannelListener,
  type Home,
  type InvalidationListener,
  type InvalidationSubscription,
  type NodeInfo,
  type Route,
  type StateEvent,
  type Subscription,
  type Transport,
  TransportError,
  type TransportLease,
} from "../port.ts";
import { guarded } from "./guarded.ts";
import type { Invalidations } from "./invalidation.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { Topology } from "./topology.ts";

export type StateListener = (event: StateEvent) => void;

export interface Parts {
  readonly caps: Capabilities;
  readonly topology: Topology;
  readonly invalidations: Invalidations;
  readonly subscriptions: Subscriptions;
  readonly stateListeners: Set<StateListener>;
  /** Called once every connection is closed. */
  readonly closed: () => Promise<void>;
}

export class ConnectedTransport implements Transport {
  readonly caps: Capabilities;
  readonly #topology: Topology;
  readonly #invalidations: Invalidations;
  readonly #subscriptions: Subscriptions;
  readonly #stateListeners: Set<StateListener>;
  readonly #closed: () => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.caps = parts.caps;
    this.#topology = parts.topology;
    this.#invalidations = parts.invalidations;
    this.#subscriptions = parts.subscriptions;
    this.#stateListeners = parts.stateListeners;
    this.#closed = parts.closed;
  }

  slotOf(key: Arg): number {
    return this.#topology.slotOf(key);
  }

  attempt(args: readonly Arg[], route: Route, caller: Caller): void {
    this.#topology.attempt(args, route, caller);
  }

  home(route: Route): Home | undefined {
    return this.#topology.home(route);
  }

  async lease(route: Route, signal: AbortSignal): Promise<TransportLease> {
    return this.#topology.nodeFor(route).leases.acquire(signal);
  }

  async subscribe(kind: ChannelKind, channel: string, listener: ChannelListener): Promise<Subscription> {
    this.#refuseWhenClosed();
    return this.#subscriptions.add(kind, channel, listener);
  }

  /** One CLIENT TRACKING command per primary; several listeners share it. */
  async onInvalidate(prefix: string, listener: InvalidationListener): Promise<InvalidationSubscription> {
    this.#refuseWhenClosed();
    const connections = this.#topology.primaries().map((node) => {
      const { connection } = node.link;
      // A primary that is away would be armed on its return, but the promise made here is about now.
      if (connection === undefined) throw node.unreachable();
      return connection;
    });
    const subscription = await this.#invalidations.add(prefix, listener, connections);
    const isLive = (): boolean =>
      this.#topology.primaries().every(({ link }) => this.#invalidations.isArmed(link.connection));
    return {
      close: () => subscription.close(),
      get isLive() {
        return isLive();
      },
    };
  }

  nodes(): readonly NodeInfo[] {
    return this.#topology.primaries().map((node) => node.info);
  }

  onState(listener: StateListener): () => void {
    const own: StateListener = (event) => guarded("a state listener", listener, () => listener(event));
    this.#stateListeners.add(own);
    return () => void this.#stateListeners.delete(own);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const nodes = this.nodes();
    await Promise.all([this.#subscriptions.close(), this.#topology.close()]);
    await this.#closed();
    for (const { id, epoch } of nodes) {
      for (const listener of this.#stateListeners) listener({ state: "closed", node: id, epoch });
    }
    this.#stateListeners.clear();
  }

  #refuseWhenClosed(): void {
    if (this.#topology.isClosed) throw new TransportError("closed", "the connection was closed");
  }
}
