/** Six fresh nodes become one cluster: the first three share the slots, each of the others follows one of them. */
import { SLOTS } from "../../src/driver/slot.ts";
import { parseClusterNodes, type ClusterNode } from "./cluster-nodes.ts";
import type { ServerProcess } from "./server-process.ts";
import { until } from "./until.ts";

export const PRIMARIES = 3;

/** `busPorts` are those of `nodes`, in the same order. */
export async function formCluster(nodes: readonly ServerProcess[], busPorts: readonly number[]): Promise<void> {
  const primaries = nodes.slice(0, PRIMARIES);
  await Promise.all(nodes.map((node, index) => node.command("CLUSTER", "SET-CONFIG-EPOCH", index + 1)));
  await Promise.all(primaries.map((node, index) => node.command("CLUSTER", "ADDSLOTSRANGE", ...slotRange(index))));
  await introduceAll(nodes, busPorts);
  await until("all nodes know each other", () => allKnown(nodes));
  const replicas = nodes.slice(PRIMARIES);
  await Promise.all(replicas.map((replica, index) => follow(replica, primaries[index]!)));
}

/** Every pair is introduced: waiting until gossip has spread the word from one node takes seconds longer. */
async function introduceAll(nodes: readonly ServerProcess[], busPorts: readonly number[]): Promise<void> {
  const meetings = nodes.flatMap((node, index) =>
    nodes.slice(0, index).map((other, at) => node.command("CLUSTER", "MEET", "127.0.0.1", other.port, busPorts[at]!)),
  );
  await Promise.all(meetings);
}

async function allKnown(nodes: readonly ServerProcess[]): Promise<boolean> {
  const views = await Promise.all(nodes.map(clusterNodes));
  return views.every((view) => view.length === nodes.length);
}

async function follow(replica: ServerProcess, primary: ServerProcess): Promise<void> {
  await replica.command("CLUSTER", "REPLICATE", String(await primary.command("CLUSTER", "MYID")));
}

export async function clusterNodes(server: ServerProcess): Promise<ClusterNode[]> {
  return parseClusterNodes(String(await server.command("CLUSTER", "NODES")));
}

function slotRange(index: number): [number, number] {
  const first = Math.ceil((SLOTS * index) / PRIMARIES);
  const next = Math.ceil((SLOTS * (index + 1)) / PRIMARIES);
  return [first, next - 1];
}
