/** What the embedded suite does. Each stores what it will ask for, and answers with one operation. */
import type { Send } from "./embedded-connect.ts";
import { keyFor } from "./samples.ts";
import type { Operation } from "./suite.ts";

export type Workload = (send: Send) => Promise<Operation>;

const VALUE = "x".repeat(200);
/** Commands of a pipeline. */
const BURST = 16;
const SCRIPT = "return redis.call('GET', KEYS[1])";

const set: Workload = (send) => Promise.resolve((turn) => send(["SET", keyFor(turn), VALUE]));

const get: Workload = async (send) => {
  await fill(1000, await set(send));
  return (turn) => send(["GET", keyFor(turn)]);
};

const push: Workload = (send) => Promise.resolve(() => send(["LPUSH", "bench:list", "element"]));

const evaluate: Workload = async (send) => {
  await fill(1000, await set(send));
  return (turn) => send(["EVAL", SCRIPT, "1", keyFor(turn)]);
};

/** Sixteen commands that leave in one write, awaited together. */
function burst(workload: Workload): Workload {
  return async (send) => {
    const one = await workload(send);
    return (turn) => Promise.all(Array.from({ length: BURST }, (_, at) => one(turn * BURST + at)));
  };
}

export type What = "GET" | "SET" | "LPUSH" | "EVAL" | "16 GET" | "16 SET";

export const WORKLOADS: Readonly<Record<What, Workload>> = {
  GET: get,
  SET: set,
  LPUSH: push,
  EVAL: evaluate,
  "16 GET": burst(get),
  "16 SET": burst(set),
};

/** On collections of two sizes. Their members are spread over the same million numbers, so that the texts are as long. */
const RANGE = 1_000_000;
/** Elements stored at a time, without an answer to each. */
const TOGETHER = 1000;

/** One member's score is set again, and its rank and a page there are asked for. */
const sortedSet = sized(
  (send, number) => send(["ZADD", "zset", String(number), member(number)]),
  (send, size) => async (turn) => {
    const name = member(spread(turn, size));
    await send(["ZADD", "zset", String(scatter(turn)), name]);
    const rank = String(await send(["ZRANK", "zset", name]));
    await send(["ZRANGE", "zset", rank, rank]);
  },
);

/** A range by score is counted and its first ten are asked for, one member comes and goes, the lowest is taken and put back. */
const sortedSetRanges = sized(
  (send, number) => send(["ZADD", "zset", String(scatter(number)), member(number)]),
  (send) => async (turn) => {
    const score = String(scatter(turn));
    await send(["ZCOUNT", "zset", score, "+inf"]);
    await send(["ZRANGEBYSCORE", "zset", score, "+inf", "LIMIT", "0", "10"]);
    await send(["ZADD", "zset", score, "another"]);
    await send(["ZREM", "zset", "another"]);
    const [lowest = ""] = (await send(["ZPOPMIN", "zset"])) as [string?];
    await send(["ZADD", "zset", score, lowest]);
  },
);

/** A push and a pop at each end, an element by its index read and set, and ten in the middle. */
const list = sized(
  (send, number) => send(["RPUSH", "list", member(number)]),
  (send, size) => async (turn) => {
    const index = jump(turn, size);
    const start = Math.min(index, size - 10);
    await send(["LPUSH", "list", "first"]);
    await send(["RPOP", "list"]);
    await send(["LINDEX", "list", String(index)]);
    await send(["LSET", "list", String(index), "other"]);
    await send(["LRANGE", "list", String(start), String(start + 9)]);
  },
);

const hash = sized(
  (send, number) => send(["HSET", "hash", member(number), "value"]),
  (send, size) => async (turn) => {
    await send(["HGET", "hash", member(spread(turn, size))]);
    await send(["HSET", "hash", "another", "value"]);
    await send(["HDEL", "hash", "another"]);
  },
);

const keys = sized(
  (send, number) => send(["SET", member(number), "value"]),
  (send, size) => async (turn) => {
    await send(["GET", member(spread(turn, size))]);
    await send(["SET", "another", "value", "EX", "100"]);
    await send(["DEL", "another"]);
  },
);

/** An entry is added and the oldest goes, and ten are read anywhere. */
const stream = sized(
  (send, number) => send(["XADD", "stream", `${number + 1}-1`, "field", "value"]),
  (send, size) => async (turn) => {
    await send(["XADD", "stream", "MAXLEN", String(size), "*", "field", "value"]);
    await send(["XRANGE", "stream", String(spread(turn, size) + 1), "+", "COUNT", "10"]);
  },
);

export const SIZED: Readonly<Record<string, SizedWorkload>> = {
  zset: sortedSet,
  "zset ranges": sortedSetRanges,
  list: list,
  hash: hash,
  keys: keys,
  stream: stream,
};

type Store = (send: Send, number: number) => Promise<unknown>;
type SizedWorkload = (size: number) => Workload;

/** `store` puts one element in for each of `size` numbers below `RANGE`. */
function sized(store: Store, use: (send: Send, size: number) => Operation): SizedWorkload {
  return (size) => async (send) => {
    for (let at = 0; at < size; at += TOGETHER) {
      await fill(Math.min(TOGETHER, size - at), (turn) => store(send, (at + turn) * (RANGE / size)));
    }
    return use(send, size);
  };
}

function member(number: number): string {
  return `member:${String(number).padStart(6, "0")}`;
}

/** Jumps over the whole collection, so that nothing is in the processor's cache by being next. */
function jump(turn: number, size: number): number {
  return (turn * 7919) % size;
}

/** One of the numbers stored. */
function spread(turn: number, size: number): number {
  return jump(turn, size) * (RANGE / size);
}

/** A number below `RANGE` that has nothing to do with the one that `spread` returns. */
function scatter(turn: number): number {
  return (Math.imul(turn + 1, 2654435761) >>> 0) % RANGE;
}

async function fill(count: number, operation: Operation): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, turn) => operation(turn)));
}
