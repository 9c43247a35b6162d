/** A primary with two replicas under three sentinels. */
import { setTimeout as sleep } from "node:timers/promises";
import { startSentinel, until } from "../../../packages/holdfast/test/support/servers.ts";
import { disconnect, killUnheard, pause } from "./common.ts";
import type { Topology } from "./topology.ts";

export async function openSentinel(): Promise<Topology> {
  const group = await startSentinel();
  return {
    name: "sentinel",
    url: group.url,
    replicas: 2,
    faults: {
      disconnect,
      // Half of what makes the sentinels take it for dead.
      pause: pause(500),
      // Sentinel does not stop the old primary before it promotes a replica: what is written there meanwhile is lost.
      failover: {
        loses: true,
        async run() {
          await group.failover();
        },
      },
      lose: {
        loses: true,
        async run({ random }) {
          const primary = await group.primary();
          const replicas = group.servers.filter((server) => server !== primary && server.answers);
          await killUnheard(primary, replicas, random.integer(200, 700));
          await until("another primary is named", async () => (await group.primary()) !== primary);
          await primary.restart();
          await group.waitHealthy();
        },
      },
      // Stands still until another has its place, and goes on as if it had not.
      hang: {
        loses: true,
        async run({ random }) {
          const primary = await group.primary();
          await primary.pause();
          await until("another primary is named", async () => (await group.primary()) !== primary);
          await sleep(random.integer(0, 1_000));
          primary.resume();
          await group.waitHealthy();
        },
      },
      crash: {
        loses: true,
        async run({ random }) {
          const primary = await group.primary();
          await primary.kill();
          await until("another primary is named", async () => (await group.primary()) !== primary);
          await sleep(random.integer(0, 1_000));
          await primary.restart();
          await group.waitHealthy();
        },
      },
    },
    owner: () => group.primary(),
    ownerSeen: async () => (await group.primary()).port,
    settle: () => group.waitHealthy(),
    [Symbol.asyncDispose]: () => group.stop(),
  };
}
