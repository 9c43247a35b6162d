/**
 * Tracing of each operation through `node:diagnostics_channel`, as `tracing:holdfast:operation:{start,end,asyncStart,asyncEnd,error}`.
 * With no subscriber an operation pays one property read.
 */
import { tracingChannel, type TracingChannel } from "node:diagnostics_channel";

export interface Operation {
  /** `cache.get`, `lock.acquire` ... */
  readonly op: string;
  /** What it was about, as the caller named it: an entry's id, a lock's name. Not for metric labels: unbounded. */
  readonly key: string | undefined;
  result?: unknown;
  error?: unknown;
}

export const OPERATION_CHANNEL = "holdfast:operation";

const operations: TracingChannel<Operation, Operation> = tracingChannel(OPERATION_CHANNEL);

/**
 * Runs `body` as a traced operation. What it throws at once (bad input) is a rejection like every other failure.
 * @param shown what of the result is traced, where the whole of it holds a secret
 */
export function observed<T>(
  op: string,
  key: string | number | undefined,
  body: () => Promise<T>,
  shown?: (result: T) => unknown,
): Promise<T> {
  if (!hasSubscribers()) return attempt(body);
  const operation: Operation = { op, key: key === undefined ? undefined : String(key) };
  if (shown === undefined) return operations.tracePromise(() => attempt(body), operation);
  let whole: Promise<T>;
  const traced = operations.tracePromise(() => {
    whole = attempt(body);
    return whole.then(shown);
  }, operation);
  return traced.then(() => whole);
}

function attempt<T>(body: () => Promise<T>): Promise<T> {
  try {
    return body();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** `TracingChannel.hasSubscribers` is younger than Node 20, so the five channels are asked. */
function hasSubscribers(): boolean {
  return (
    operations.start.hasSubscribers ||
    operations.asyncEnd.hasSubscribers ||
    operations.end.hasSubscribers ||
    operations.asyncStart.hasSubscribers ||
    operations.error.hasSubscribers
  );
}
