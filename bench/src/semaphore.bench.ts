/** Acquire and release of a permit against redis-semaphore, on one server: when some are free, and when more want one than there are. */
import { connect } from "holdfast";
import { Semaphore } from "redis-semaphore";
import { ioredis } from "./clients.ts";
import { keyFor } from "./samples.ts";
import { sideBySide, type Contender, type Suite } from "./suite.ts";

type NameOf = (turn: number) => string;

const TTL_MS = 10_000;
const PERMITS = 4;

/** redis-semaphore's names are its keys: they must not be those of other suites' values. */
const manyNames: NameOf = (turn) => `semaphore:${keyFor(turn)}`;
const oneName: NameOf = () => "wanted";

export const semaphoreSuite: Suite = {
  contenders: {
    "holdfast (free)": ours(manyNames),
    "redis-semaphore (free)": redisSemaphore(manyNames),
    "holdfast (wanted)": ours(oneName),
    "redis-semaphore (wanted)": redisSemaphore(oneName),
  },
  cases: [
    ...sideBySide("1000 names", [1, 50, 500], ["holdfast (free)"], ["redis-semaphore (free)"]),
    ...sideBySide("one name", [10], ["holdfast (wanted)"], ["redis-semaphore (wanted)"]),
  ],
};

function ours(nameOf: NameOf): Contender {
  return async ({ url }) => {
    const hf = await connect(url);
    return async (turn) => {
      const permit = await hf.semaphore(nameOf(turn), { permits: PERMITS, ttl: TTL_MS }).acquire({ wait: "1m" });
      await permit.release();
    };
  };
}

/** As it comes, except for its patience: it asks each 10 ms, and gives up after ten seconds, where ours waits. */
function redisSemaphore(nameOf: NameOf): Contender {
  return async (target) => {
    const client = ioredis(target);
    return async (turn) => {
      const options = { lockTimeout: TTL_MS, acquireTimeout: 60_000 };
      const semaphore = new Semaphore(client, nameOf(turn), PERMITS, options);
      await semaphore.acquire();
      await semaphore.release();
    };
  };
}
