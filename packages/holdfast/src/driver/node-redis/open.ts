/** The way in: from connection options to a transport that has its first connection. */
import { InvalidArgumentError } from "../../base/errors.ts";
import type { Capabilities, Transport } from "../port.ts";
import type { ClientFactory } from "./client.ts";
import type { Context } from "../connection/context.ts";
import { Invalidations } from "../connection/invalidation.ts";
import { type ConnectionOptions, resolveOptions, type Settings } from "../connection/options.ts";
import { Subscriptions } from "../connection/subscriptions.ts";
import { capabilitiesOf, type Topology } from "../connection/topology.ts";
import { ClusterTopology } from "../connection/topology-cluster.ts";
import { SingleTopology } from "../connection/topology-single.ts";
import { NodeRedisTransport, type StateListener } from "../connection/transport.ts";

/**
 * Connects. Rejects with InvalidArgumentError for bad options, and with a HoldfastError that says what to do (codes
 * AUTH, PERMISSION, UNAVAILABLE, UNSUPPORTED, SERVER) where there is no connection within `connectTimeout`; at once
 * where trying again cannot help. A `redis://` URL of a cluster's node, such as the configuration endpoint of a
 * managed cluster, opens that cluster.
 */
export async function openTransport(options: ConnectionOptions = {}): Promise<Transport> {
  const settings = resolveOptions(options);
  const transport = await openSettings(settings);
  if (settings.mode !== "standalone" || !transport.caps.cluster) return transport;
  await transport.close();
  if (settings.database !== 0) throw new InvalidArgumentError("database", "0 in a cluster", settings.database);
  return openSettings({ ...settings, mode: "cluster" });
}

/** What is behind the connections where it is not the network. */
export interface Backing {
  readonly engine: Capabilities["engine"];
  readonly createClient: ClientFactory;
  /** Called by `close()` once the last connection is closed. */
  closed(): Promise<void>;
}

/** Opens what is already resolved. */
export async function openSettings(settings: Settings, backing?: Backing): Promise<Transport> {
  const stateListeners = new Set<StateListener>();
  const invalidations = new Invalidations();
  const context: Context = {
    settings,
    invalidations,
    createClient: backing?.createClient,
    isClosed: () => topology.isClosed,
    emit: (event) => {
      topology.notice(event);
      subscriptions.notice(event);
      for (const listener of stateListeners) listener(event);
    },
    slotsMoved: (cause) => {
      invalidations.flush(cause);
      subscriptions.reconcile(cause);
    },
    learn: (node, error) => topology.learn(node, error),
  };
  const topology: Topology = settings.mode === "cluster" ? new ClusterTopology(context) : new SingleTopology(context);
  const subscriptions = new Subscriptions(context, topology);
  try {
    const { greeting } = await topology.open();
    return new NodeRedisTransport({
      caps: { ...capabilitiesOf(greeting), ...(backing && { engine: backing.engine }) },
      topology,
      invalidations,
      subscriptions,
      stateListeners,
      closed: async () => backing?.closed(),
    });
  } catch (error) {
    await topology.close();
    throw error;
  }
}
