/**
 * Time series against a sorted set by hand, on tuned node-redis: points added to 1,000 series, and a day of one series, at a point every ten
 * seconds, read as buckets of five minutes. Of the day the points are added before; ours are sealed, as they are a minute after their hour.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Holdfast } from "holdfast";
import { tunedNodeRedis } from "./clients.ts";
import { keyFor } from "./samples.ts";
import { type Contender, sideBySide, type Suite } from "./suite.ts";

const STEP_MS = 10_000;
const BUCKET_MS = 300_000;
const DAY_MS = 86_400_000;
const HOURS = 24;

export const seriesSuite: Suite = {
  contenders: {
    "series.add": async ({ url }) => {
      const series = (await connect(url)).series("bench");
      return (turn) => series.add(keyFor(turn), valueOf(turn));
    },
    "sorted set by hand, add": async (target) => {
      const client = await tunedNodeRedis(target);
      return (turn) => {
        const at = Date.now();
        const key = `zset:${keyFor(turn)}`;
        return Promise.all([
          client.sendCommand(["ZADD", key, String(at), `${at}:${valueOf(turn)}`]),
          client.sendCommand(["PEXPIRE", key, String(DAY_MS)]),
        ]);
      };
    },
    "series.range": ours(false),
    "series.range of open chunks": ours(true),
    "sorted set by hand, range": byHand,
  },
  cases: [
    ...sideBySide("add", [50, 500], ["series.add"], ["sorted set by hand, add"]),
    ...sideBySide("a day", [1], ["series.range", "series.range of open chunks"], ["sorted set by hand, range"]),
  ],
};

const valueOf = (turn: number): number => 50 + (turn % 997) / 10;

const lastDay = (): number => Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS;

function ours(isOpen: boolean): Contender {
  return async ({ url }) => {
    const hf = await connect(url);
    const series = hf.series(isOpen ? "open" : "sealed", isOpen ? {} : { rollups: ["5m"] });
    const from = lastDay();
    for (let at = from; at < from + DAY_MS; at += 360 * STEP_MS)
      await Promise.all(
        Array.from({ length: 360 }, (_, step) =>
          series.add("x", valueOf(at / STEP_MS + step), { at: at + step * STEP_MS }),
        ),
      );
    const range = (): Promise<unknown> =>
      series.range("x", { from, to: from + DAY_MS, every: BUCKET_MS, aggregate: ["avg", "max"] });
    if (!isOpen) await sealed(hf, range);
    return range;
  };
}

/** Whoever uses a series seals what is due: that of the past a minute after it was added. */
async function sealed(hf: Holdfast, range: () => Promise<unknown>): Promise<void> {
  for (let found = 0; found < HOURS; await sleep(500)) {
    await range();
    found = 0;
    for await (const keys of hf.scan("series:sealed:")) found += keys.filter((key) => key.endsWith(":sealed")).length;
  }
}

async function byHand(...[target]: Parameters<Contender>): ReturnType<Contender> {
  const client = await tunedNodeRedis(target);
  const from = lastDay();
  for (let at = from; at < from + DAY_MS; at += STEP_MS)
    await client.sendCommand(["ZADD", "zset:day", String(at), `${at}:${valueOf(at / STEP_MS)}`]);
  return async () => {
    const reply = (await client.sendCommand([
      "ZRANGE",
      "zset:day",
      String(from),
      `(${from + DAY_MS}`,
      "BYSCORE",
    ])) as unknown as (string | Buffer)[];
    const buckets = new Map<number, { count: number; sum: number; max: number }>();
    for (const member of reply) {
      const [at, value] = member.toString().split(":").map(Number) as [number, number];
      const start = at - (at % BUCKET_MS);
      const bucket = buckets.get(start);
      if (bucket === undefined) buckets.set(start, { count: 1, sum: value, max: value });
      else {
        bucket.count += 1;
        bucket.sum += value;
        bucket.max = Math.max(bucket.max, value);
      }
    }
    return [...buckets].map(([start, { count, sum, max }]) => ({ at: start, avg: sum / count, max }));
  };
}
