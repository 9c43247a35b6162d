/** One server whose every write is on the disk before it is answered. */
import { setTimeout as sleep } from "node:timers/promises";
import { startStandalone } from "../../../packages/holdfast/test/support/servers.ts";
import { disconnect, pause } from "./common.ts";
import type { Topology } from "./topology.ts";

export async function openStandalone(): Promise<Topology> {
  const server = await startStandalone({ persistence: true });
  return {
    name: "standalone",
    url: server.url,
    replicas: 0,
    faults: {
      disconnect,
      pause: pause(1_500),
      restart: {
        loses: false,
        async run({ random }) {
          await server.kill();
          await sleep(random.integer(0, 1_000));
          await server.restart();
        },
      },
    },
    owner: async () => server.server,
    ownerSeen: async () => server.port,
    settle: async () => undefined,
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
