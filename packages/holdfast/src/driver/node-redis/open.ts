/** The way in: from connection options to a transport over node-redis. */
import { openSettings } from "../connection/open.ts";
import { type ConnectionOptions, resolveOptions, type Settings } from "../connection/options.ts";
import type { Opening } from "../connection/deferred.ts";
import type { Transport } from "../port.ts";
import { nodeRedis } from "./client.ts";

/**
 * Connects. Rejects with InvalidArgumentError for bad options, and with a HoldfastError that says what to do (codes
 * AUTH, PERMISSION, UNAVAILABLE, UNSUPPORTED, SERVER) where there is no connection within `connectTimeout`; at once
 * where trying again cannot help. A `redis://` URL of a cluster's node, such as the configuration endpoint of a
 * managed cluster, opens that cluster.
 */
export async function openTransport(options: ConnectionOptions = {}): Promise<Transport> {
  return openServers(resolveOptions(options, nodeRedis), {});
}

/** As `openTransport`, for what is resolved. */
export async function openServers(settings: Settings, opening: Opening): Promise<Transport> {
  const transport = await openSettings(settings, opening);
  if (settings.mode !== "standalone" || !transport.caps.cluster) return transport;
  await transport.close();
  return openSettings({ ...settings, mode: "cluster" }, opening);
}
