/** The peers' clients, each set up as its own documentation recommends for speed. */
import { createClient } from "@redis/client";
import { Redis } from "ioredis";
import { KEYS, user } from "./samples.ts";
import type { Target } from "./suite.ts";

export type NodeRedis = ReturnType<typeof createClient>;

/** node-redis tuned by hand: without the default command timeout, which makes an AbortSignal per command. */
export function tunedNodeRedis({ url }: Target): Promise<NodeRedis> {
  return connected(createClient({ url, commandOptions: { timeout: 0 } }));
}

export function defaultNodeRedis({ url }: Target): Promise<NodeRedis> {
  return connected(createClient({ url }));
}

export function ioredis({ port }: Target, enableAutoPipelining = false): Redis {
  return new Redis({ host: "127.0.0.1", port, enableAutoPipelining });
}

/** The samples as plain JSON, under their own names. */
export async function storeUsers(target: Target): Promise<void> {
  const client = await tunedNodeRedis(target);
  await Promise.all(KEYS.map((key, at) => client.sendCommand(["SET", key, JSON.stringify(user(at))])));
  client.destroy();
}

/** The `error` listener is not for use: without one an error would end the process. */
export async function connected(client: NodeRedis): Promise<NodeRedis> {
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
