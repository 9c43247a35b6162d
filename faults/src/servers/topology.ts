/** The servers under a suite, whatever their arrangement, and what can be done to them. */
import type { ServerProcess } from "../../../packages/holdfast/test/support/servers.ts";
import type { Random } from "../random.ts";

export type TopologyName = "standalone" | "cluster" | "sentinel";

export interface Topology extends AsyncDisposable {
  readonly name: TopologyName;
  readonly url: string;
  /** Copies that each write has besides the primary's; WAIT for all of them is what a failover cannot take back. */
  readonly replicas: number;
  readonly faults: Readonly<Partial<Record<ServerFaultName, ServerFault>>>;
  /** The server that serves the key now. */
  owner(key: string): Promise<ServerProcess>;
  /** The port of the server that the others take for it at this moment, where they know of one. */
  ownerSeen(key: string): Promise<number | undefined>;
  /** Resolves when every server is up and in its place. */
  settle(): Promise<void>;
}

export type ServerFaultName = "restart" | "disconnect" | "pause" | "failover" | "crash" | "lose" | "hang" | "migrate";

export interface Target {
  readonly topology: Topology;
  /** The key that the suite lives by: what is done is done to the server of this key. */
  readonly key: string;
  readonly random: Random;
}

export interface ServerFault {
  /** Replication is asynchronous: writes that were answered may be gone after it. */
  readonly loses: boolean;
  run(target: Target): Promise<void>;
}
