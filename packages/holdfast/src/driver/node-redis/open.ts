/** The way in: from connection options to a transport that has its first connection. */
import { InvalidArgumentError } from "../../errors.ts";
import type { Transport } from "../port.ts";
import type { Context } from "./context.ts";
import { Invalidations } from "./invalidation.ts";
import { type ConnectionOptions, resolveOptions, type Settings } from "./options.ts";
import { Subscriptions } from "./subscriptions.ts";
import { capabilitiesOf, type Topology } from "./topology.ts";
import { ClusterTopology } from "./topology-cluster.ts";
import { SingleTopology } from "./topology-single.ts";
import { NodeRedisTransport, type StateListener } from "./transport.ts";

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

/** Opens what is already resolved. */
export async function openSettings(settings: Settings): Promise<Transport> {
  const stateListeners = new Set<StateListener>();
  const invalidations = new Invalidations();
  const context: Context = {
    settings,
    invalidations,
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
      caps: capabilitiesOf(greeting),
      topology,
      invalidations,
      subscriptions,
      stateListeners,
    });
  } catch (error) {
    await topology.close();
    throw error;
  }
}
