/**
 * Reading a stream: history, then live, and how it ended.
 *
 *     chunk ... chunk -> end | aborted
 *     gap, reset          chunks are missing at this place: their keys were evicted, or the server was flushed
 *     missing             nobody has begun it, and `wait` is over; or it is kept no longer
 *
 * A reader that hears nothing for a lease asks how the stream is, and so learns of a producer that has died.
 */
import { onAbort } from "../base/abort.ts";
import type { Runtime } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import { canPass } from "../core/log/reader.ts";
import type { LogItem, LogReader } from "../core/log/reader.ts";
import { encodePosition } from "../core/log/position.ts";
import type { StreamReading, StreamSettings } from "./options.ts";
import type { StreamStore } from "./store.ts";

export type StreamEvent<T> =
  /** `position` is what `from` takes to go on behind it. */
  | { readonly type: "chunk"; readonly value: T; readonly position: string }
  | { readonly type: "gap"; readonly count: number }
  | { readonly type: "reset" }
  | { readonly type: "end" }
  | { readonly type: "aborted"; readonly reason: string }
  | { readonly type: "missing" };

/** Between two looks for a stream that nobody has begun. */
const MISSING_MS = 1_000;
const GONE = "its end is kept no longer";

export async function* readStream<T>(
  core: Core,
  store: StreamStore,
  { codec, leaseMs, takeoverMs }: StreamSettings<T>,
  { after, waitMs, signal }: StreamReading,
): AsyncGenerator<StreamEvent<T>, undefined, undefined> {
  const { runtime } = core.driver;
  const reader = core.logs.feed(store.keys).read(after === undefined ? "start" : { after });
  const aad = { aad: store.keys.key };
  const missingAt = runtime.now() + waitMs;
  let idleMs = Math.min(leaseMs, MISSING_MS);
  let isSeen = false;
  try {
    for (;;) {
      const item = await nextWithin(runtime, reader, idleMs, signal);
      if (item === "closed") return undefined;
      if (item === "late") {
        const asked = await store.seal().catch((error: unknown) => {
          if (canPass(error)) return undefined;
          throw error;
        });
        if (asked === undefined) continue;
        if (asked.status === "alive") idleMs = Math.min(Math.max(asked.leftMs + 1, 10), leaseMs + takeoverMs);
        else if (asked.status === "missing") {
          idleMs = Math.min(MISSING_MS, Math.max(missingAt - runtime.now(), 1));
          if (isSeen || runtime.now() >= missingAt) return yield { type: "missing" };
        } else {
          idleMs = MISSING_MS;
          const { offset, epoch } = reader.point;
          // What is still to be read says itself how it ended; else that is behind this reader, or gone.
          if (offset < asked.head) continue;
          const isBehind = offset === asked.head && epoch === asked.epoch && (isSeen || after !== undefined);
          return yield isBehind && asked.as === "end" ? { type: "end" } : { type: "aborted", reason: GONE };
        }
        continue;
      }
      [isSeen, idleMs] = [true, leaseMs + 1];
      if (item.kind === "gap") yield { type: "gap", count: item.count };
      else if (item.kind === "reset") {
        // Of epoch 0 there is nothing any more.
        isSeen = item.epoch !== 0;
        yield { type: "reset" };
      } else {
        for (let offset = item.from; offset <= item.pack.last; offset += 1) {
          const frame = item.pack.frame(offset);
          const end = store.endOf(frame);
          if (end?.status === "end") return yield { type: "end" };
          if (end !== undefined) return yield { type: "aborted", reason: end.reason };
          const position = encodePosition(0, item.pack.point(offset));
          yield { type: "chunk", value: codec.decode(frame.payload, aad), position };
        }
      }
    }
  } finally {
    reader.close();
  }
}

async function nextWithin(
  runtime: Runtime,
  reader: LogReader,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<LogItem | "late" | "closed"> {
  const item = reader.take();
  if (item !== undefined) return item;
  if (isStopped(signal)) return "closed";
  const stop = new AbortController();
  const timer = runtime.setTimeout(() => stop.abort(), ms);
  const unfollow = onAbort(signal, () => stop.abort());
  try {
    const arrived = await reader.next(stop.signal);
    if (arrived !== undefined) return arrived;
    return stop.signal.aborted && !isStopped(signal) ? "late" : "closed";
  } finally {
    runtime.clearTimeout(timer);
    unfollow();
  }
}

function isStopped(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
