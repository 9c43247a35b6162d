/** The way in: a transport whose connections are calls to an embedded server in this process. */
import { HoldfastError } from "../../base/errors.ts";
import { openSettings } from "../connection/open.ts";
import { type ConnectionOptions, resolveOptions, type Silences } from "../connection/options.ts";
import type { Address } from "../connection/url.ts";
import type { ClientKind } from "../connection/raw-client.ts";
import type { Opening } from "../connection/deferred.ts";
import { nodeRedis } from "../node-redis/client.ts";
import type { Transport } from "../port.ts";
import { type Runtime, systemRuntime } from "../../base/runtime.ts";
import { EmbeddedClient } from "./client.ts";
import { holdServer } from "./servers.ts";
import { refuseTls, snapshotPathOf } from "./url.ts";
import { type Dial, dialTo } from "./wire.ts";

/** The node's name in messages and state events. */
const NODE = "embedded";

/**
 * Opens the embedded server that `options.url` names, or joins it where a handle of this process has it open.
 * Rejects with InvalidArgumentError for bad options, and with a HoldfastError where the snapshot cannot be read.
 */
export async function openEmbedded(
  options: ConnectionOptions & { readonly url: string },
  opening: Opening = {},
): Promise<Transport> {
  const path = snapshotPathOf(options.url);
  const held = await holdServer(path).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HoldfastError("UNAVAILABLE", reason, { cause });
  });
  const surroundings = { closed: () => held.release(), runtime: systemRuntime, lossy: false };
  return openOver(dialTo(held.server), options, surroundings, opening);
}

export interface Surroundings {
  /** Called at the transport's end, and when there is no connection. */
  readonly closed: () => Promise<void>;
  readonly runtime: Runtime;
  /** Whether a connection can stand with nobody at its other end. */
  readonly lossy: boolean;
  /** When, where that is known. */
  readonly silences?: Silences | undefined;
  /** false: as where the user may not use CLIENT KILL. @default true */
  readonly fenced?: boolean;
}

/** Several servers that are one cluster. */
export interface ClusterDial {
  readonly addresses: readonly Address[];
  readonly dialAt: (address: Address) => Dial;
}

/** A transport over connections that `dial` makes. */
export async function openOver(
  dial: Dial | ClusterDial,
  options: ConnectionOptions,
  { closed, runtime, lossy, silences, fenced = true }: Surroundings,
  opening: Opening = {},
): Promise<Transport> {
  try {
    refuseTls(options);
    const { addresses, dialAt } =
      typeof dial === "function" ? { addresses: [{ path: NODE }], dialAt: () => dial } : dial;
    const settings = {
      ...resolveOptions({ ...options, url: undefined }, clientsOver(dialAt)),
      mode: typeof dial === "function" ? ("standalone" as const) : ("cluster" as const),
      addresses,
      runtime,
      watched: lossy,
      silences,
      fenced,
    };
    return await openSettings(settings, opening, { engine: "embedded", closed });
  } catch (error) {
    await closed();
    throw error;
  }
}

/** They reject with node-redis' own errors, so what those mean holds here too. */
function clientsOver(dialAt: (address: Address) => Dial): ClientKind {
  return {
    ...nodeRedis,
    create: (setup) => new EmbeddedClient(setup, dialAt(setup.address)),
    refuseUnwritten: () => undefined,
    isAwaiting: (client) => (client as EmbeddedClient).isAwaiting,
  };
}
