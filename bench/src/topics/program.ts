/** One process with one kind of stream: a publisher or a consumer. The runner calls it by messages and it answers each. */
import { setTimeout as sleep } from "node:timers/promises";
import { answerCalls } from "../called.ts";
import { type Message, type StreamName, type StreamPort, STREAMS } from "./port.ts";

/** Times are milliseconds of the machine's monotonic clock, which is the same in all processes. */
export interface Span {
  readonly began: number;
  readonly ended: number;
}

export interface Consumed {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export interface Calls {
  /** Runs everything once on a stream of its own, so that what is measured later is compiled code. */
  warm(): Promise<void>;
  publish(messages: number, inFlight: number): Promise<Span>;
  /** One at a time, with pauses; their text is the time. */
  publishLone(messages: number): Promise<void>;
  consume(): Promise<void>;
  consumed(): Promise<Consumed>;
  /** Of lone messages, in milliseconds. */
  latencies(): Promise<number[]>;
  /** Microseconds of CPU so far, all threads. */
  cpu(): Promise<number>;
}

const SHARED = "bench";
/** 120 bytes of JSON with the number. */
const TEXT = "x".repeat(94);
const WARM_UP = 2_000;
const LOOK_MS = 5;

const [name = "", url = "", port = ""] = process.argv.slice(2);
const open = await STREAMS[name as StreamName]({ url, port: Number(port) });
const now = (): number => Number(process.hrtime.bigint()) / 1e6;
const stream = open(SHARED);

let made = 0;
let consumed: Consumed = { count: 0, first: 0, last: 0 };
const latencies: number[] = [];

const nextMessage = (): Message => ({ at: String((made += 1)).padStart(8, "0"), text: TEXT });

const calls: Calls = {
  async warm() {
    const warm = open(`warm-${process.pid}`);
    const seen: string[] = [];
    const close = await warm.consume((at) => seen.push(at));
    await publish(warm, WARM_UP, 100);
    const deadline = now() + 5_000;
    while (seen.length < WARM_UP && now() < deadline) await sleep(LOOK_MS);
    await close();
  },
  async publish(messages, inFlight) {
    const began = now();
    await publish(stream, messages, inFlight);
    return { began, ended: now() };
  },
  async publishLone(messages) {
    for (let at = 0; at < messages; at += 1) {
      await sleep(4 + Math.random() * 4);
      await stream.publish({ at: String(now()), text: TEXT });
    }
  },
  async consume() {
    let [count, first] = [0, 0];
    await stream.consume((at) => {
      const began = now();
      if (at.includes(".")) latencies.push(began - Number(at));
      if (first === 0) first = began;
      count += 1;
      consumed = { count, first, last: began };
    });
  },
  consumed: async () => consumed,
  latencies: async () => latencies,
  async cpu() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
};

/** `inFlight` loops, each of which publishes its next message when its last is answered. */
async function publish(to: StreamPort, messages: number, inFlight: number): Promise<void> {
  let left = messages;
  const loop = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await to.publish(nextMessage());
    }
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
}

answerCalls(calls);
