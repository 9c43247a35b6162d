/** A rate-limit decision against rate-limiter-flexible, on one hot id and on many. */
import { connect, type LimiterOptions } from "holdfast";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { ioredis } from "./clients.ts";
import { keyFor } from "./samples.ts";
import { sideBySide, type Contender, type Suite } from "./suite.ts";

type IdOf = (turn: number) => string;

/** So high that nothing is denied: a denial costs the peer an exception, which would flatter us. */
const LIMIT = 1_000_000_000;
/** A unit per microsecond, the finest interval of our GCRA. */
const GCRA_LIMIT = 1_000_000;

const oneHotId: IdOf = () => "hot";

export const limitsSuite: Suite = {
  contenders: {
    "GCRA (hot)": ours({ algorithm: "gcra", limit: GCRA_LIMIT, window: "1s" }, oneHotId),
    "sliding window (hot)": ours({ algorithm: "sliding", limit: LIMIT, window: "1m" }, oneHotId),
    "rate-limiter-flexible (hot)": flexible(oneHotId),
    GCRA: ours({ algorithm: "gcra", limit: GCRA_LIMIT, window: "1s" }, keyFor),
    "sliding window": ours({ algorithm: "sliding", limit: LIMIT, window: "1m" }, keyFor),
    "rate-limiter-flexible": flexible(keyFor),
  },
  cases: [
    ...sideBySide("one id", [50, 500], ["GCRA (hot)", "sliding window (hot)"], ["rate-limiter-flexible (hot)"]),
    ...sideBySide("1000 ids", [50, 500], ["GCRA", "sliding window"], ["rate-limiter-flexible"]),
  ],
};

function ours(options: LimiterOptions, idOf: IdOf): Contender {
  return async ({ url }) => {
    const limiter = (await connect(url)).limiter("bench", options);
    return (turn) => limiter.consume(idOf(turn));
  };
}

function flexible(idOf: IdOf): Contender {
  return async (target) => {
    const limiter = new RateLimiterRedis({
      storeClient: ioredis(target),
      points: LIMIT,
      duration: 60,
      keyPrefix: "rlf",
    });
    return (turn) => limiter.consume(idOf(turn));
  };
}
