/** One GET through the driver, deadlines and retries included, against the bare clients. */
import { connect } from "holdfast";
import { defaultNodeRedis, ioredis, tunedNodeRedis } from "./clients.ts";
import type { Contender } from "./measure.ts";
import { KEYS, keyFor, user } from "./samples.ts";
import type { Case, Suite } from "./suite.ts";

export const driverSuite: Suite = async (server) => {
  const hf = await connect(server.url);
  const tuned = await tunedNodeRedis(server.url);
  const plain = await defaultNodeRedis(server.url);
  const io = ioredis(server.port);
  const auto = ioredis(server.port, true);
  await Promise.all(KEYS.map((key, at) => tuned.sendCommand(["SET", key, JSON.stringify(user(at))])));

  const call = { op: "bench.get", class: "read" } as const;
  const ours: Contender = {
    name: "holdfast driver",
    operation: (turn) => {
      const key = keyFor(turn);
      return hf.driver.send(["GET", key], call, key);
    },
  };
  const peers: Contender[] = [
    { name: "node-redis tuned", operation: (turn) => tuned.sendCommand(["GET", keyFor(turn)]) },
    { name: "node-redis", operation: (turn) => plain.sendCommand(["GET", keyFor(turn)]) },
    { name: "ioredis", operation: (turn) => io.get(keyFor(turn)) },
    { name: "ioredis auto-pipelining", operation: (turn) => auto.get(keyFor(turn)) },
  ];
  const cases = [50, 500].flatMap((inFlight) =>
    peers.map((peer): Case => ({ name: `GET, ${inFlight} in flight, against ${peer.name}`, inFlight, ours, peer })),
  );
  const close = async (): Promise<void> => {
    await hf.close();
    for (const client of [tuned, plain]) client.destroy();
    for (const client of [io, auto]) client.disconnect();
  };
  return { cases, close };
};
