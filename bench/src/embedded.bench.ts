/** The embedded server against a real one and against its peers, and its large collections against its small ones. */
import {
  type Connect,
  embeddedOverTcp,
  inProcess,
  ioredisMock,
  jsRedisServer,
  real,
  throughDriver,
} from "./embedded-connect.ts";
import { SIZED, type What, type Workload, WORKLOADS } from "./embedded-workloads.ts";
import type { Case, Contender, Suite } from "./suite.ts";

const SMALL = 100;
const LARGE = 1_000_000;

const CONNECTS = {
  "real server": real,
  "embedded TCP": embeddedOverTcp,
  "js-redis-server": jsRedisServer,
  "embedded in process": inProcess,
  "ioredis-mock": ioredisMock,
  "driver embedded://": throughDriver(() => "embedded://"),
  "driver real server": throughDriver(({ url }) => url),
} as const satisfies Record<string, Connect>;

type Where = keyof typeof CONNECTS;

export const embeddedSuite: Suite = {
  contenders: {
    ...Object.fromEntries(
      Object.entries(WORKLOADS).flatMap(([what, workload]) =>
        Object.entries(CONNECTS).map(([where, connect]) => [`${where} ${what}`, contender(connect, workload)]),
      ),
    ),
    ...Object.fromEntries(
      Object.entries(SIZED).flatMap(([what, workload]) => [
        [`${what} of a million`, contender(inProcess, workload(LARGE))],
        [`${what} of a hundred`, contender(inProcess, workload(SMALL))],
        [`${what} of a million over TCP`, contender(embeddedOverTcp, workload(LARGE))],
        [`${what} of a hundred over TCP`, contender(embeddedOverTcp, workload(SMALL))],
      ]),
    ),
  },
  cases: [
    ...against("embedded TCP", "real server", ["GET", "SET"], 1),
    ...against("embedded TCP", "real server", ["GET", "SET", "LPUSH", "EVAL"], 50),
    ...against("embedded TCP", "real server", ["16 GET", "16 SET"], 4),
    ...against("embedded TCP", "js-redis-server", ["GET", "SET", "LPUSH", "EVAL"], 50),
    ...against("embedded TCP", "js-redis-server", ["16 GET", "16 SET"], 4),
    ...against("embedded in process", "real server", ["GET", "SET"], 50),
    ...against("driver embedded://", "driver real server", ["GET", "SET"], 50),
    ...against("embedded in process", "ioredis-mock", ["GET", "SET", "LPUSH", "EVAL"], 1),
    ...Object.keys(SIZED).map((what) => ({
      name: `${what}, 1 in flight: a million / a hundred`,
      inFlight: 1,
      ours: `${what} of a million`,
      peer: `${what} of a hundred`,
    })),
    {
      name: "zset over TCP, 1 in flight: a million / a hundred",
      inFlight: 1,
      ours: "zset of a million over TCP",
      peer: "zset of a hundred over TCP",
    },
  ],
};

function contender(connect: Connect, workload: Workload): Contender {
  return async (target) => workload(await connect(target));
}

function against(ours: Where, peer: Where, whats: readonly What[], inFlight: number): Case[] {
  return whats.map((what) => ({
    name: `${what}, ${inFlight} in flight: ${ours} / ${peer}`,
    inFlight,
    ours: `${ours} ${what}`,
    peer: `${peer} ${what}`,
  }));
}
