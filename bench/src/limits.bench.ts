/** A rate-limit decision against rate-limiter-flexible, on one hot id and on many. */
import { connect } from "holdfast";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { ioredis } from "./clients.ts";
import type { Contender } from "./measure.ts";
import { keyFor } from "./samples.ts";
import type { Case, Suite } from "./suite.ts";

/** So high that nothing is denied: a denial costs the peer an exception, which would flatter us. */
const LIMIT = 1_000_000_000;
/** A unit per microsecond, the finest interval of our GCRA. */
const GCRA_LIMIT = 1_000_000;

export const limitsSuite: Suite = async (server) => {
  const hf = await connect(server.url);
  const io = ioredis(server.port);
  const sliding = hf.limiter("sliding", { algorithm: "sliding", limit: LIMIT, window: "1m" });
  const gcra = hf.limiter("gcra", { algorithm: "gcra", limit: GCRA_LIMIT, window: "1s" });
  const flexible = new RateLimiterRedis({ storeClient: io, points: LIMIT, duration: 60, keyPrefix: "rlf" });

  const ids = { "one hot id": () => "hot", "1000 ids": keyFor };
  const cases = Object.entries(ids).flatMap(([which, id]) => {
    const peer: Contender = { name: "rate-limiter-flexible", operation: (turn) => flexible.consume(id(turn)) };
    const ours: Contender[] = [
      { name: "GCRA", operation: (turn) => gcra.consume(id(turn)) },
      { name: "sliding window", operation: (turn) => sliding.consume(id(turn)) },
    ];
    return [50, 500].flatMap((inFlight) =>
      ours.map((one): Case => ({
        name: `${one.name}, ${which}, ${inFlight} in flight, against ${peer.name}`,
        inFlight,
        ours: one,
        peer,
      })),
    );
  });
  const close = async (): Promise<void> => {
    await hf.close();
    io.disconnect();
  };
  return { cases, close };
};
