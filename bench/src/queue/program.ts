/** One process of one package: a producer, a worker or both. The runner calls it by messages and it answers each. */
import { setTimeout as sleep } from "node:timers/promises";
import { answerCalls } from "../called.ts";
import type { Target } from "../suite.ts";
import { type Handler, type Job, type Package, PACKAGES, type QueuePort } from "./port.ts";

/** Times are milliseconds of the machine's monotonic clock, which is the same in all processes. */
export interface Span {
  readonly began: number;
  readonly ended: number;
}

/** What a worker has done since `work`. */
export interface Worked {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export interface Calls {
  /** Runs everything once on a queue of its own, so that what is measured later is compiled code. */
  warm(): Promise<void>;
  /** Opens the queue that all processes share. */
  open(): Promise<void>;
  add(jobs: number, inFlight: number): Promise<Span>;
  addMany(jobs: number): Promise<Span>;
  /** Adds and runs jobs in this process, each loop one job after the other. */
  addAndRun(jobs: number, inFlight: number): Promise<Span>;
  /** Adds jobs to an idle queue, one at a time; their payload is the time. */
  addLone(jobs: number): Promise<void>;
  work(concurrency: number, handlerMs: number): Promise<void>;
  worked(): Promise<Worked>;
  /** Of lone jobs, in milliseconds. */
  latencies(): Promise<number[]>;
  /** Microseconds of CPU so far, all threads. */
  cpu(): Promise<number>;
}

const SHARED = "bench";
/** 120 bytes of JSON with the number. */
const TEXT = "x".repeat(94);
const CHUNK = 1_000;
const WARM_UP = 1_500;

const [name = "", url = "", port = ""] = process.argv.slice(2);
const target: Target = { url, port: Number(port) };
const openQueue = await PACKAGES[name as Package](target);
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

let queue: QueuePort;
let made = 0;
let worked: Worked = { count: 0, first: 0, last: 0 };
const pickups: number[] = [];

const nextJob = (): Job => ({ at: String((made += 1)).padStart(8, "0"), text: TEXT });

const calls: Calls = {
  async warm() {
    const warm = await openQueue(`warm-${process.pid}`);
    await addTo(warm, WARM_UP / 3, 100);
    await warm.addMany(Array.from({ length: WARM_UP / 3 }, nextJob));
    const { ran, handler } = awaited();
    const close = await warm.work((at) => handler(at), 100);
    await inLoops(WARM_UP / 3, 20, () => ran(warm));
    await close();
  },
  async open() {
    queue = await openQueue(SHARED);
  },
  add: (jobs, inFlight) => timed(() => addTo(queue, jobs, inFlight)),
  addMany: (jobs) =>
    timed(async () => {
      for (let left = jobs; left > 0; left -= CHUNK)
        await queue.addMany(Array.from({ length: Math.min(left, CHUNK) }, nextJob));
    }),
  async addAndRun(jobs, inFlight) {
    const { ran, handler } = awaited();
    await queue.work(handler, inFlight);
    return timed(() => inLoops(jobs, inFlight, () => ran(queue)));
  },
  async addLone(jobs) {
    for (let at = 0; at < jobs; at += 1) {
      await sleep(4 + Math.random() * 4);
      await queue.add({ at: String(now()), text: TEXT });
    }
  },
  async work(concurrency, handlerMs) {
    await queue.work(counting(handlerMs), concurrency);
  },
  worked: async () => worked,
  latencies: async () => pickups,
  async cpu() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
};

async function timed(work: () => Promise<unknown>): Promise<Span> {
  const began = now();
  await work();
  return { began, ended: now() };
}

/** `inFlight` loops, each of which begins its next one when its last is over. */
async function inLoops(times: number, inFlight: number, work: () => Promise<unknown>): Promise<void> {
  let left = times;
  const loop = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
}

function addTo(queue: QueuePort, jobs: number, inFlight: number): Promise<void> {
  return inLoops(jobs, inFlight, () => queue.add(nextJob()));
}

/** `ran` adds a job and resolves when it has run in this process. */
function awaited(): { ran: (queue: QueuePort) => Promise<void>; handler: (at: string) => void } {
  const waiting = new Map<string, () => void>();
  return {
    ran: async (queue) => {
      const job = nextJob();
      const done = new Promise<void>((resolve) => waiting.set(job.at, resolve));
      await queue.add(job);
      await done;
    },
    handler: (at) => {
      waiting.get(at)?.();
      waiting.delete(at);
    },
  };
}

function counting(handlerMs: number): Handler {
  let [count, first] = [0, 0];
  const done = (): void => {
    count += 1;
    worked = { count, first, last: now() };
  };
  const begin = (at: string): void => {
    const began = now();
    if (first === 0) first = began;
    if (at.includes(".")) pickups.push(began - Number(at));
  };
  if (handlerMs === 0)
    return (at) => {
      begin(at);
      done();
    };
  return async (at) => {
    begin(at);
    await sleep(handlerMs);
    done();
  };
}

answerCalls(calls);
