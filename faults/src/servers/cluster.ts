/** Three primaries with a replica each. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ServerProcess, startCluster, until } from "../../../packages/holdfast/test/support/servers.ts";
import { clusterNodes } from "../../../packages/holdfast/test/support/cluster-formation.ts";
import { servesSlot } from "../../../packages/holdfast/test/support/cluster-nodes.ts";
import { disconnect, killUnheard, pause } from "./common.ts";
import type { Topology } from "./topology.ts";

export async function openCluster(): Promise<Topology> {
  const cluster = await startCluster();
  const slotOf = async (key: string): Promise<number> =>
    Number(await cluster.nodes.find((node) => node.answers)!.command("CLUSTER", "KEYSLOT", key));
  const owner = async (key: string): Promise<ServerProcess> => cluster.nodeFor(await slotOf(key));
  const isServedWithout = async (primary: ServerProcess, slot: number): Promise<boolean> => {
    const view = await clusterNodes(cluster.nodes.find((node) => node !== primary && node.answers)!);
    return view.some(
      (node) => node.role === "primary" && node.health === "ok" && node.port !== primary.port && servesSlot(node, slot),
    );
  };
  return {
    name: "cluster",
    url: cluster.url,
    replicas: 1,
    faults: {
      disconnect,
      // A third of what makes the others take it for dead.
      pause: pause(500),
      failover: {
        loses: false,
        run: async ({ key }) => cluster.failover(cluster.replicaOf(await owner(key))),
      },
      lose: {
        loses: true,
        async run({ key, random }) {
          const primary = await owner(key);
          await killUnheard(primary, [cluster.replicaOf(primary)], random.integer(200, 700));
          await cluster.waitHealthy();
          await primary.restart();
          await cluster.waitHealthy();
        },
      },
      // Stands still until another has its place, and goes on as if it had not.
      hang: {
        loses: true,
        async run({ key, random }) {
          const primary = await owner(key);
          const slot = await slotOf(key);
          await primary.pause();
          await until("another serves the slot", async () => isServedWithout(primary, slot));
          await sleep(random.integer(0, 1_000));
          primary.resume();
          await cluster.waitHealthy();
        },
      },
      crash: {
        loses: true,
        async run({ key, random }) {
          const primary = await owner(key);
          await primary.kill();
          await cluster.waitHealthy();
          await sleep(random.integer(0, 1_000));
          // Without data: only now, as a replica of the one that took its place.
          await primary.restart();
          await cluster.waitHealthy();
        },
      },
      migrate: {
        loses: false,
        async run({ key, random }) {
          const slot = await slotOf(key);
          const from = cluster.nodeFor(slot);
          const others = cluster.primaries.filter((node) => node !== from);
          const migration = await cluster.startMigration(slot, others[random.integer(0, others.length - 1)]!);
          await sleep(random.integer(0, 300));
          await migration.moveKeys();
          await sleep(random.integer(0, 300));
          await migration.finish();
          await cluster.waitHealthy();
        },
      },
    },
    owner,
    async ownerSeen(key) {
      const view = await clusterNodes(cluster.nodes.find((node) => node.answers)!);
      const slot = await slotOf(key);
      return view.find((node) => node.role === "primary" && node.health === "ok" && servesSlot(node, slot))?.port;
    },
    settle: () => cluster.waitHealthy(),
    [Symbol.asyncDispose]: () => cluster.stop(),
  };
}
