/** Faults that any server can have. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerProcess } from "../../../packages/holdfast/test/support/servers.ts";
import type { ServerFault } from "./topology.ts";

/** A storm: every connection of the server's clients is closed, and again, and again, while they reconnect. */
export const disconnect: ServerFault = {
  loses: false,
  async run({ topology, key, random }) {
    const server = await topology.owner(key);
    for (let left = random.integer(2, 12); left > 0; left -= 1) {
      await server.command("CLIENT", "KILL", "TYPE", "normal");
      await server.command("CLIENT", "KILL", "TYPE", "pubsub");
      await sleep(random.integer(0, 60));
    }
  },
};

/** SIGSTOP: what is sent meanwhile is executed when it goes on. */
export function pause(longestMs: number): ServerFault {
  return {
    loses: false,
    async run({ topology, key, random }) {
      const server = await topology.owner(key);
      await server.pause();
      await sleep(random.integer(100, longestMs));
      server.resume();
    },
  };
}

/** Kills a primary that its replicas have not heard for a while: what it has answered meanwhile is lost. */
export async function killUnheard(
  primary: ServerProcess,
  replicas: readonly ServerProcess[],
  ms: number,
): Promise<void> {
  await Promise.all(replicas.map((replica) => replica.pause()));
  // Else what lies in their sockets is read when they go on.
  await primary.command("CLIENT", "KILL", "TYPE", "replica");
  await sleep(ms);
  await primary.kill();
  for (const replica of replicas) replica.resume();
}
