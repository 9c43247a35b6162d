/** What the benchmark asks of a stream of messages, and what is behind it: topics, and what is written by hand or taken instead of them. */
import { createClient } from "@redis/client";
import { Queue as BullQueue, Worker as BullWorker } from "bullmq";
import { connect } from "holdfast";
import { connected, tunedNodeRedis } from "../clients.ts";
import type { Target } from "../suite.ts";

export interface Message {
  /** A number, or for a lone message the time at which it was published. */
  readonly at: string;
  readonly text: string;
}

export type Handler = (at: string) => unknown;

export interface StreamPort {
  publish(message: Message): Promise<unknown>;
  /** Resolves once it listens, with its end; of what is kept it begins at the beginning. */
  consume(handler: Handler): Promise<() => unknown>;
}

/** The first four are ours. */
export type StreamName =
  | "ordered"
  | "ordered by key"
  | "shared"
  | "messages()"
  | "streams by hand"
  | "bullmq"
  | "pub/sub by hand";

/** Opens streams by name, over one connection. */
type Open = (target: Target) => Promise<(name: string) => StreamPort>;

const GROUP = "bench";
const MOST_AT_A_TIME = "50";
const BLOCK_MS = "1000";
const KEYS = 1_000;

export const STREAMS: Readonly<Record<StreamName, Open>> = {
  ordered: subscribed("ordered", false),
  "ordered by key": subscribed("ordered", true),
  shared: subscribed("shared", false),
  "messages()": async ({ url }) => {
    const hf = await connect(url);
    return (name) => {
      const topic = hf.topic<Message>(name);
      return {
        publish: (message) => topic.publish(message),
        consume: async (handler) => {
          const messages = topic.messages({ from: "start" });
          await messages.ready;
          void (async () => {
            for await (const { payload } of messages) handler(payload.at);
          })();
          return () => messages.close();
        },
      };
    };
  },
  "streams by hand": async (target) => {
    const client = await tunedNodeRedis(target);
    return (name) => ({
      publish: (message) => client.sendCommand(["XADD", name, "*", "m", JSON.stringify(message)]),
      consume: async (handler) => {
        await client.sendCommand(["XGROUP", "CREATE", name, GROUP, "0", "MKSTREAM"]);
        const reader = await tunedNodeRedis(target);
        // Its end is that of its connection.
        readGroup(reader, name, handler).catch(() => undefined);
        return () => reader.destroy();
      },
    });
  },
  bullmq: async ({ port }) => {
    const connection = { host: "127.0.0.1", port };
    const defaultJobOptions = { removeOnComplete: true, removeOnFail: true };
    return (name) => {
      const queue = new BullQueue<Message>(name, { connection, defaultJobOptions });
      return {
        publish: (message) => queue.add("message", message),
        consume: async (handler) => {
          const options = { connection: { ...connection, maxRetriesPerRequest: null }, concurrency: 10 };
          const worker = new BullWorker<Message>(name, async (job) => handler(job.data.at), options);
          worker.on("error", () => undefined);
          await worker.waitUntilReady();
          return () => worker.close();
        },
      };
    };
  },
  "pub/sub by hand": async (target) => {
    const client = await tunedNodeRedis(target);
    return (name) => ({
      publish: (message) => client.publish(name, JSON.stringify(message)),
      consume: async (handler) => {
        const subscriber = await connected(createClient({ url: target.url }));
        await subscriber.subscribe(name, (text) => handler((JSON.parse(text) as Message).at));
        return () => subscriber.destroy();
      },
    });
  },
};

function subscribed(kind: "ordered" | "shared", isKeyed: boolean): Open {
  return async ({ url }) => {
    const hf = await connect(url);
    return (name) => {
      const topic = hf.topic<Message>(name);
      let turn = 0;
      return {
        publish: (message) => topic.publish(message, isKeyed ? { key: `k${(turn += 1) % KEYS}` } : undefined),
        consume: async (handler) => {
          const handle = ({ payload }: { readonly payload: Message }): unknown => handler(payload.at);
          const start = "start";
          const subscription =
            kind === "shared"
              ? topic.subscribe(GROUP, handle, { kind, start })
              : topic.subscribe(GROUP, handle, { start });
          await subscription.ready();
          return () => subscription.close();
        },
      };
    };
  };
}

/** The acknowledgement of what was handled rides with the next read. */
async function readGroup(
  client: Awaited<ReturnType<typeof tunedNodeRedis>>,
  name: string,
  handler: Handler,
): Promise<void> {
  const read = ["XREADGROUP", "GROUP", GROUP, "one", "COUNT", MOST_AT_A_TIME, "BLOCK", BLOCK_MS, "STREAMS", name, ">"];
  let done: string[] = [];
  for (;;) {
    const acknowledged = done.length === 0 ? undefined : client.sendCommand(["XACK", name, GROUP, ...done]);
    const [reply] = await Promise.all([client.sendCommand(read), acknowledged]);
    done = [];
    for (const [id, [, text]] of entriesOf(reply, name)) {
      handler((JSON.parse(text!) as Message).at);
      done.push(id);
    }
  }
}

/** RESP3 answers with a map, RESP2 with pairs. */
function entriesOf(reply: unknown, name: string): readonly (readonly [string, readonly string[]])[] {
  if (reply === null || reply === undefined) return [];
  const entries = Array.isArray(reply) ? (reply.flat() as unknown[])[1] : Reflect.get(reply, name);
  return entries as readonly (readonly [string, readonly string[]])[];
}
