/**
 * Tracing of each operation through `node:diagnostics_channel`, as `tracing:holdfast:operation:{start,end,asyncStart,asyncEnd,error}`.
 * With no subscriber an operation pays one property read.
 */
import { tracingChannel, type TracingChannel } from "node:diagnostics_channel";
import { InvalidArgumentError } from "../../base/errors.ts";

export interface Operation {
  /** `cache.get`, `lock.acquire` ... */
  readonly op: string;
  /** What it was about, as the caller named it: an entry's id, a lock's name. Not for metric labels: unbounded. */
  readonly key: string | undefined;
  /** Only of operations whose result has parts that are no secret: what they choose to show. */
  result?: unknown;
  error?: unknown;
}

export const OPERATION_CHANNEL = "holdfast:operation";

const operations: TracingChannel<Operation, Operation> = tracingChannel(OPERATION_CHANNEL);

/** The operations of one instance of a primitive: traced by their names, and what they refuse is refused in its name. */
export class Operations {
  /** As messages name the instance: `cache "users"`. */
  readonly where: string;
  readonly #noun: string;

  constructor(noun: string, name: string) {
    // What is no text is refused where the keys are made, and not shown.
    this.where = typeof name === "string" ? `${noun} ${JSON.stringify(name)}` : noun;
    this.#noun = noun;
  }

  /** As `observed`, for the operation `noun.verb`. */
  run<T>(verb: string, key: Key, body: () => Promise<T>, shown?: (result: T) => unknown): Promise<T> {
    return observed(`${this.#noun}.${verb}`, key, body, shown, this.where);
  }
}

type Key = string | number | undefined;

/**
 * Runs `body` as a traced operation. What it throws at once (bad input) is a rejection like every other failure.
 * @param shown what of the result is traced; without it nothing is, as the result may be what a user has stored
 * @param where names the instance in front of what refuses bad input
 */
export function observed<T>(
  op: string,
  key: Key,
  body: () => Promise<T>,
  shown: (result: T) => unknown = nothing,
  where?: string,
): Promise<T> {
  const named = isName(key) ? String(key) : undefined;
  const refuse = where === undefined ? undefined : refusal(where, op, named);
  if (!hasSubscribers()) return attempt(body, refuse);
  const operation: Operation = { op, key: named };
  let whole: Promise<T>;
  const traced = operations.tracePromise(() => {
    whole = attempt(body, refuse);
    return whole.then(shown);
  }, operation);
  return traced.then(() => whole);
}

/** What else was given as a name is refused, and may be anything. */
function isName(key: unknown): key is string | number {
  return typeof key === "string" || typeof key === "number";
}

function nothing(): void {}

/** Passes an error on; bad input in the name of what refuses it. */
function refusal(where: string, op: string, key: string | undefined): (error: unknown) => never {
  return (error) => {
    throw error instanceof InvalidArgumentError ? error.at(where, { op, key }) : error;
  };
}

function attempt<T>(body: () => Promise<T>, refuse: ((error: unknown) => never) | undefined): Promise<T> {
  let result: Promise<T>;
  try {
    result = body();
  } catch (error) {
    result = Promise.reject(error);
  }
  return refuse === undefined ? result : result.then(undefined, refuse);
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
