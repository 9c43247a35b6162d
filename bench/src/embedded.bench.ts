/** The embedded server: over TCP and in process against a real one, and its large collections against its small ones. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createServer } from "holdfast-embedded";
import { tunedNodeRedis } from "./clients.ts";
import { keyFor } from "./samples.ts";
import type { Case, Contender, Operation, Suite, Target } from "./suite.ts";

const PROGRAM = fileURLToPath(new URL("./embedded-server.js", import.meta.url));
const VALUE = "x".repeat(200);
const SMALL = 100;
const LARGE = 1_000_000;
/** Commands of a pipeline. */
const BURST = 16;

/** One answer in so many waits for the event loop: answers at once alone would never let the round's timer run. */
const YIELD = 64;

type Send = (args: string[]) => Promise<unknown>;
type Connect = (target: Target) => Promise<Send>;
type Workload = (send: Send) => Promise<Operation>;

const real: Connect = async (target) => {
  const client = await tunedNodeRedis(target);
  return (args) => client.sendCommand(args);
};

const overTcp: Connect = async () => {
  const child = fork(PROGRAM);
  const [port] = (await once(child, "message")) as [number];
  return real({ url: `redis://127.0.0.1:${port}`, port });
};

const inProcess: Connect = () => {
  const connection = createServer().connectInProcess();
  let answers = 0;
  return Promise.resolve(
    (args) =>
      new Promise((resolve) => {
        connection.send(args, (reply) => (++answers % YIELD === 0 ? setImmediate(resolve, reply) : resolve(reply)));
      }),
  );
};

const get: Workload = async (send) => {
  await set(send).then((store) => Promise.all(Array.from({ length: 1000 }, (_, turn) => store(turn))));
  return (turn) => send(["GET", keyFor(turn)]);
};

const set: Workload = (send) => Promise.resolve((turn) => send(["SET", keyFor(turn), VALUE]));

/** Sixteen commands that leave in one write, awaited together. */
function burst(workload: Workload): Workload {
  return async (send) => {
    const one = await workload(send);
    return (turn) => Promise.all(Array.from({ length: BURST }, (_, at) => one(turn * BURST + at)));
  };
}

/** One member's score is set anew, and its rank and a page there are asked for. */
function sortedSet(size: number): Workload {
  return async (send) => {
    for (let at = 0; at < size; at++) await send(["ZADD", "zset", String(at), `member:${at}`]);
    return async (turn) => {
      const member = `member:${spread(turn, size)}`;
      await send(["ZADD", "zset", String(spread(turn + 1, size)), member]);
      const rank = String(await send(["ZRANK", "zset", member]));
      await send(["ZRANGE", "zset", rank, rank]);
    };
  };
}

/** A push and a pop at each end, and an element by its index. */
function list(size: number): Workload {
  return async (send) => {
    for (let at = 0; at < size; at++) await send(["RPUSH", "list", `element:${at}`]);
    return async (turn) => {
      await send(["LPUSH", "list", "first"]);
      await send(["RPOP", "list"]);
      await send(["LINDEX", "list", String(spread(turn, size))]);
    };
  };
}

const WORKLOADS = { GET: get, SET: set, "16 GET": burst(get), "16 SET": burst(set) } as const;
const CONNECTS = { "real server": real, "embedded TCP": overTcp, "embedded in process": inProcess } as const;

export const embeddedSuite: Suite = {
  contenders: {
    ...Object.fromEntries(
      Object.entries(WORKLOADS).flatMap(([what, workload]) =>
        Object.entries(CONNECTS).map(([where, connect]) => [`${where} ${what}`, contender(connect, workload)]),
      ),
    ),
    "zset of 1M": contender(inProcess, sortedSet(LARGE)),
    "zset of 100": contender(inProcess, sortedSet(SMALL)),
    "list of 1M": contender(inProcess, list(LARGE)),
    "list of 100": contender(inProcess, list(SMALL)),
  },
  cases: [
    ...["GET", "SET"].flatMap((what) => [against("embedded TCP", what, 50), against("embedded TCP", `16 ${what}`, 4)]),
    ...["GET", "SET"].map((what) => against("embedded in process", what, 50)),
    { name: "zset, 1 in flight: a million / a hundred", inFlight: 1, ours: "zset of 1M", peer: "zset of 100" },
    { name: "list, 1 in flight: a million / a hundred", inFlight: 1, ours: "list of 1M", peer: "list of 100" },
  ],
};

function contender(connect: Connect, workload: Workload): Contender {
  return async (target) => workload(await connect(target));
}

function against(where: keyof typeof CONNECTS, what: string, inFlight: number): Case {
  const [ours, peer] = [`${where} ${what}`, `real server ${what}`];
  return { name: `${what}, ${inFlight} in flight: ${where} / real server`, inFlight, ours, peer };
}

/** Jumps over the whole range, so that no block stays in the processor's cache by being next. */
function spread(turn: number, size: number): number {
  return (turn * 7919) % size;
}
