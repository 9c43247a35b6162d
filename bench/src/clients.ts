/** The peers' clients, each set up as its own documentation tells for speed. */
import { createClient } from "@redis/client";
import { Redis } from "ioredis";

export type NodeRedis = ReturnType<typeof createClient>;

/** node-redis tuned by hand: without the default command timeout, which makes an AbortSignal per command. */
export async function tunedNodeRedis(url: string): Promise<NodeRedis> {
  return connected(createClient({ url, commandOptions: { timeout: 0 } }));
}

export async function defaultNodeRedis(url: string): Promise<NodeRedis> {
  return connected(createClient({ url }));
}

export function ioredis(port: number, enableAutoPipelining = false): Redis {
  return new Redis({ host: "127.0.0.1", port, enableAutoPipelining });
}

async function connected(client: NodeRedis): Promise<NodeRedis> {
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
