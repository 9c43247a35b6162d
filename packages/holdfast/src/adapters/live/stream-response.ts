/**
 * A stream as one response of server-sent events, such as an AI's answer to the request that asked for it.
 *
 *     id: mwz8t9mi.0.3.mwz8ta0e     a chunk; EventSource's `onmessage`
 *     data: "Once upon "
 *
 *     event: end | aborted | gap | reset
 *     data: {"reason":"the producer died"}
 *
 * The source is written into the stream, not into the response: a client that is cut off comes back with `Last-Event-ID`, to any process, and
 * goes on behind the last chunk that it has seen. One that comes back behind the end is answered 204, at which an EventSource stays away.
 */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toTimerMs } from "../../base/options.ts";
import { sleep, systemRuntime } from "../../base/runtime.ts";
import { Reports } from "../../core/observe/reports.ts";
import type { StreamSource } from "../../stream/pipe.ts";
import type { StreamEvent } from "../../stream/reader.ts";
import { Stream } from "../../stream/stream.ts";
import { HEARTBEAT } from "./event-text.ts";
import { jsonOf } from "./fan-out.ts";

export interface StreamResponseOptions<T> {
  /**
   * Written into the stream if nobody has begun it: it is not asked where the stream has a producer or is over, so a request may be repeated.
   * It goes on when its client is gone. @default the stream is only followed
   */
  readonly source?: StreamSource<T>;
  /** What is sent of a chunk, as JSON. @default the chunk */
  readonly data?: (chunk: T) => unknown;
  /** How long to wait for a stream that nobody has begun. @default "30s" */
  readonly wait?: Duration;
  /** A comment is sent to a client that has had nothing for so long. @default "15s" */
  readonly heartbeat?: Duration;
  /** Given what has to be done although the response is over, for platforms that stop a process then. @default nothing */
  readonly waitUntil?: (done: Promise<void>) => void;
  /** Told of what `source` or `data` has thrown, or the server; clients are told `aborted`, or come back. @default the first is a process warning */
  readonly onError?: (error: unknown) => void;
}

/** What is to be sent; undefined where a client comes back to what it has seen the end of. */
export interface StreamAnswer {
  readonly text: AsyncGenerator<string, undefined, undefined>;
  /** The client is gone. Idempotent. */
  readonly abandon: () => void;
}

const OPTIONS: OptionNames<StreamResponseOptions<unknown>> = {
  source: true,
  data: true,
  wait: true,
  heartbeat: true,
  waitUntil: true,
  onError: true,
};
/** The id of what comes last. */
const OVER = "over";

/** @param lastEventId as its client says it */
export function answerStream<T>(
  stream: Stream<T>,
  lastEventId: string | undefined,
  given: StreamResponseOptions<T> | undefined,
): StreamAnswer | undefined {
  if (!(stream instanceof Stream))
    throw new InvalidArgumentError("stream", "what `hf.stream` returned", stream, { where: "streamResponse" });
  const where = `stream ${JSON.stringify(stream.id)}`;
  const { source, data, waitMs, heartbeatMs, waitUntil, onError } = parseOptions(
    where,
    given as StreamResponseOptions<unknown> | undefined,
    OPTIONS,
    (options) => parse(options as StreamResponseOptions<T>),
  );
  const reports = new Reports<never, never>(where, "HOLDFAST_STREAM_RESPONSE", { onError });
  if (lastEventId === OVER) return undefined;
  if (source !== undefined) {
    const done = stream.pipe(source).then(
      () => undefined,
      (error: unknown) => reports.error(error),
    );
    waitUntil?.(done);
  }
  const stop = new AbortController();
  const read = (from?: string): AsyncGenerator<StreamEvent<T>> =>
    stream.read({ wait: waitMs, signal: stop.signal, ...(from === undefined ? {} : { from }) });
  const text = textOf(begin(read, lastEventId), data, heartbeatMs, stop, reports);
  return {
    text,
    abandon: () => {
      stop.abort();
      // Where nobody takes what it has, nothing else would end it.
      void text.return(undefined).catch(() => undefined);
    },
  };
}

interface Settings<T> {
  readonly source: StreamSource<T> | undefined;
  readonly data: (chunk: T) => unknown;
  readonly waitMs: number;
  readonly heartbeatMs: number;
  readonly waitUntil: StreamResponseOptions<T>["waitUntil"];
  readonly onError: StreamResponseOptions<T>["onError"];
}

function parse<T>(options: StreamResponseOptions<T>): Settings<T> {
  const { source, data, waitUntil, onError, wait = "30s", heartbeat = "15s" } = options;
  for (const [field, each] of Object.entries({ data, waitUntil, onError }))
    if (each !== undefined && typeof each !== "function") throw new InvalidArgumentError(field, "a function", each);
  return {
    source,
    waitUntil,
    onError,
    data: data ?? ((chunk) => chunk),
    waitMs: toTimerMs("wait", wait, 0),
    heartbeatMs: toTimerMs("heartbeat", heartbeat),
  };
}

async function* begin<T>(
  read: (from?: string) => AsyncGenerator<StreamEvent<T>>,
  from: string | undefined,
): AsyncGenerator<StreamEvent<T>> {
  let events: AsyncGenerator<StreamEvent<T>>;
  try {
    events = read(from);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    // A cursor that is none of ours.
    yield { type: "reset" };
    events = read();
  }
  yield* events;
}

async function* textOf<T>(
  events: AsyncGenerator<StreamEvent<T>>,
  data: (chunk: T) => unknown,
  heartbeatMs: number,
  stop: AbortController,
  reports: Reports<never, never>,
): AsyncGenerator<string, undefined, undefined> {
  try {
    // So that the head is sent before the first chunk.
    yield HEARTBEAT;
    for (let next = events.next(); ;) {
      const idle = new AbortController();
      const item = await Promise.race([next, sleep(systemRuntime, heartbeatMs, idle.signal).then(() => undefined)]);
      idle.abort();
      if (item === undefined) yield HEARTBEAT;
      else if (item.done === true) return undefined;
      else {
        yield eventText(item.value, data);
        next = events.next();
      }
    }
  } catch (error) {
    reports.error(error);
    throw error;
  } finally {
    stop.abort();
    void events.return(undefined).catch(() => undefined);
  }
}

function eventText<T>(event: StreamEvent<T>, data: (chunk: T) => unknown): string {
  switch (event.type) {
    case "chunk":
      return `id: ${event.position}\ndata: ${jsonOf(data(event.value))}\n\n`;
    case "gap":
      return `event: gap\ndata: ${JSON.stringify({ count: event.count })}\n\n`;
    case "reset":
      return `event: reset\ndata: {}\n\n`;
    case "end":
      return `event: end\nid: ${OVER}\ndata: {}\n\n`;
    default: {
      const reason = event.type === "aborted" ? event.reason : "there is no such stream";
      return `event: aborted\nid: ${OVER}\ndata: ${JSON.stringify({ reason })}\n\n`;
    }
  }
}
