/** A real cluster of six processes: three primaries with a replica each. */
import { clusterNodes, formCluster, PRIMARIES } from "./cluster-formation.ts";
import { fingerprint, servesSlot, type ClusterNode } from "./cluster-nodes.ts";
import { freePorts } from "./ports.ts";
import { Sandbox } from "./sandbox.ts";
import { ServerProcess, type ServerConfig } from "./server-process.ts";
import { SlotMigration } from "./slot-migration.ts";
import { until } from "./until.ts";

const NODES = PRIMARIES * 2;
/** After so long a server gives up a manual failover (CLUSTER_MF_TIMEOUT). */
const FAILOVER_MS = 5_000;

/** A dead primary is noticed after `cluster-node-timeout` ms; the election follows within about a second. */
const CLUSTER_CONFIG: ServerConfig = {
  "cluster-enabled": "yes",
  "cluster-config-file": "nodes.conf",
  "cluster-node-timeout": "1500",
  "cluster-allow-replica-migration": "no",
  // A replica stands for election however old its data is: a paused machine must not leave a cluster without primary.
  "cluster-replica-validity-factor": "0",
};

/** Resolves when the cluster is healthy, about three seconds after the call: fresh primaries refuse writes for two. */
export async function startCluster(): Promise<Cluster> {
  const sandbox = new Sandbox("cluster");
  try {
    const ports = await freePorts(NODES * 2);
    const busPorts = ports.splice(NODES);
    const launch = (port: number, index: number): Promise<ServerProcess> => {
      const config = { ...CLUSTER_CONFIG, "cluster-port": String(busPorts[index]) };
      return ServerProcess.start({ sandbox, port, config });
    };
    const nodes = await Promise.all(ports.map(launch));
    await formCluster(nodes, busPorts);
    const cluster = new Cluster(nodes, sandbox);
    await cluster.waitHealthy();
    return cluster;
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

export class Cluster implements AsyncDisposable {
  /** All six, whatever their role is now. */
  readonly nodes: readonly ServerProcess[];
  readonly #sandbox: Sandbox;
  /** As the cluster was at the last waitHealthy(), which failover() and migrateSlot() end with. */
  #topology: readonly ClusterNode[] = [];

  constructor(nodes: readonly ServerProcess[], sandbox: Sandbox) {
    this.nodes = nodes;
    this.#sandbox = sandbox;
  }

  get url(): string {
    const seeds = this.nodes.slice(0, PRIMARIES).map((node) => node.address);
    return `redis-cluster://${seeds.join(",")}`;
  }

  /** Those that served at the last waitHealthy(). */
  get primaries(): ServerProcess[] {
    return this.#withRole("primary");
  }

  /** Those that followed at the last waitHealthy(). */
  get replicas(): ServerProcess[] {
    return this.#withRole("replica");
  }

  replicaOf(primary: ServerProcess): ServerProcess {
    const { id } = this.#member((node) => node.port === primary.port);
    return this.#server(this.#member((node) => node.primaryId === id && node.health === "ok"));
  }

  /** The primary that served the slot at the last waitHealthy(). */
  nodeFor(slot: number): ServerProcess {
    return this.#server(this.#member((node) => node.role === "primary" && servesSlot(node, slot)));
  }

  /** The slot is in migration from the node that serves it to `target`, its keys are not moved yet. */
  async startMigration(slot: number, target: ServerProcess): Promise<SlotMigration> {
    const from = this.nodeFor(slot);
    const end = (server: ServerProcess): { server: ServerProcess; id: string } => ({
      server,
      id: this.#member((node) => node.port === server.port).id,
    });
    const others = this.primaries.filter((node) => node !== from && node !== target);
    const migration = new SlotMigration(slot, end(from), end(target), others);
    await migration.begin();
    return migration;
  }

  /** A whole migration; resolves when all nodes know the new owner. */
  async migrateSlot(slot: number, target: ServerProcess): Promise<void> {
    const migration = await this.startMigration(slot, target);
    await migration.moveKeys();
    await migration.finish();
    await this.waitHealthy();
  }

  /** A manual failover, without loss: the replica and its primary change places. One that its servers give up is asked for again. */
  async failover(replica: ServerProcess): Promise<void> {
    const isPrimary = async (): Promise<boolean> => [await replica.command("ROLE")].flat()[0] === "master";
    const ask = async (): Promise<boolean> => {
      await replica.command("CLUSTER", "FAILOVER");
      return until("it is a primary", isPrimary, FAILOVER_MS).catch(() => false);
    };
    await until(`${replica.address} is a primary`, ask, 4 * FAILOVER_MS);
    await this.waitHealthy();
  }

  /**
   * Resolves when every node that answers serves, sees the same members and owners of slots as the others, and follows
   * its primary if it is a replica, and when those that do not answer are known to have failed.
   */
  async waitHealthy(timeoutMs = 30_000): Promise<void> {
    this.#topology = await until("the cluster is healthy", () => this.#agreedTopology(), timeoutMs);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    await this.#sandbox.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #agreedTopology(): Promise<ClusterNode[] | undefined> {
    const answering = this.nodes.filter((node) => node.answers);
    const views = await Promise.all(answering.map(clusterNodes));
    const [view] = views;
    if (view === undefined || new Set(views.map(fingerprint)).size > 1) return undefined;
    const healthIsTrue = this.nodes.every((node) => {
      const seen = view.find((member) => member.port === node.port);
      return seen?.health === (node.answers ? "ok" : "failed");
    });
    return healthIsTrue && (await Promise.all(answering.map(isInService))).every(Boolean) ? view : undefined;
  }

  #withRole(role: ClusterNode["role"]): ServerProcess[] {
    const ports = this.#topology.filter((node) => node.role === role && node.health === "ok").map((node) => node.port);
    return this.nodes.filter((node) => ports.includes(node.port));
  }

  #member(matches: (node: ClusterNode) => boolean): ClusterNode {
    const member = this.#topology.find((node) => node.health !== "failed" && matches(node));
    if (member === undefined) throw new Error("the cluster had no such node at the last waitHealthy()");
    return member;
  }

  #server(member: ClusterNode): ServerProcess {
    return this.nodes.find((node) => node.port === member.port)!;
  }
}

async function isInService(node: ServerProcess): Promise<boolean> {
  const state = String(await node.command("CLUSTER", "INFO"));
  const replication = String(await node.command("INFO", "replication"));
  return state.includes("cluster_state:ok") && !replication.includes("master_link_status:down");
}
