/** From resolved options to a transport that has its first connection. */
import type { Capabilities, Transport } from "../port.ts";
import type { Opening } from "./deferred.ts";
import type { TransportContext } from "./context.ts";
import { Fences } from "./fences.ts";
import { Invalidations } from "./invalidation.ts";
import type { Settings } from "./options.ts";
import { Subscriptions } from "./subscriptions.ts";
import { capabilitiesOf, type Topology } from "./topology.ts";
import { ClusterTopology } from "./topology-cluster.ts";
import { SingleTopology } from "./topology-single.ts";
import { ConnectedTransport, type StateListener } from "./transport.ts";

/** What is behind the connections where it is not the network. */
export interface Backing {
  readonly engine: Capabilities["engine"];
  /** Called by `close()` once the last connection is closed. */
  closed(): Promise<void>;
}

/** Opens what is already resolved. */
export async function openSettings(settings: Settings, opening: Opening = {}, backing?: Backing): Promise<Transport> {
  const stateListeners = new Set<StateListener>();
  const invalidations = new Invalidations();
  const fences = new Fences(settings.client, settings.fenced);
  const context: TransportContext = {
    settings,
    invalidations,
    fences,
    isClosed: () => topology.isClosed,
    failed: (error) => opening.failed?.(error),
    emit: (event) => {
      topology.notice(event);
      subscriptions.notice(event);
      for (const listener of stateListeners) listener(event);
    },
    slotsMoved: (cause) => {
      invalidations.flush(cause);
      subscriptions.reconcile(cause);
    },
    learn: (node, error, answeredBy) => topology.learn(node, error, answeredBy),
  };
  const topology: Topology = settings.mode === "cluster" ? new ClusterTopology(context) : new SingleTopology(context);
  const subscriptions = new Subscriptions(context, topology);
  const abandon = (): void => void topology.close();
  opening.signal?.addEventListener("abort", abandon, { once: true });
  try {
    opening.signal?.throwIfAborted();
    const { greeting } = await topology.open();
    return new ConnectedTransport({
      caps: {
        ...capabilitiesOf(greeting),
        ...(backing && { engine: backing.engine }),
        // A user can lose the right later on.
        get fencing() {
          return fences.able ? "connection" : "none";
        },
      },
      topology,
      invalidations,
      subscriptions,
      stateListeners,
      closed: async () => backing?.closed(),
    });
  } catch (error) {
    await topology.close();
    throw error;
  } finally {
    opening.signal?.removeEventListener("abort", abandon);
  }
}
