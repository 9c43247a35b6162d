/** One small script per call, not merged, against EVALSHA of the bare clients. */
import { createHash } from "node:crypto";
import { connect } from "holdfast";
import { ioredis, tunedNodeRedis } from "./clients.ts";
import type { Contender } from "./measure.ts";
import { KEYS, keyFor } from "./samples.ts";
import type { Case, Suite } from "./suite.ts";

const LUA = "return redis.call('GET', KEYS[1])";
const SHA1 = createHash("sha1").update(LUA).digest("hex");

export const scriptSuite: Suite = async (server) => {
  const hf = await connect(server.url);
  const tuned = await tunedNodeRedis(server.url);
  const io = ioredis(server.port);
  const auto = ioredis(server.port, true);
  await Promise.all(KEYS.map((key) => tuned.sendCommand(["SET", key, "value"])));
  await tuned.sendCommand(["SCRIPT", "LOAD", LUA]);

  const source = { name: "bench.get", lua: LUA, sha1: SHA1 };
  const call = { op: "bench.script", class: "read" } as const;
  const ours: Contender = {
    name: "holdfast driver.script",
    operation: (turn) => hf.driver.script(source, [keyFor(turn)], [], call),
  };
  const peers: Contender[] = [
    { name: "ioredis evalsha", operation: (turn) => io.evalsha(SHA1, 1, keyFor(turn)) },
    { name: "ioredis auto-pipelined evalsha", operation: (turn) => auto.evalsha(SHA1, 1, keyFor(turn)) },
    { name: "node-redis tuned EVALSHA", operation: (turn) => tuned.sendCommand(["EVALSHA", SHA1, "1", keyFor(turn)]) },
  ];
  const cases = [50, 500].flatMap((inFlight) =>
    peers.map((peer): Case => ({ name: `script, ${inFlight} in flight, against ${peer.name}`, inFlight, ours, peer })),
  );
  const close = async (): Promise<void> => {
    await hf.close();
    tuned.destroy();
    for (const client of [io, auto]) client.disconnect();
  };
  return { cases, close };
};
