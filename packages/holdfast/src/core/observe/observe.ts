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
  /** Of the instance: the cache, the queue. */
  readonly name?: string | undefined;
  /** Of `queue.run`: which run of the job it is. */
  readonly run?: ObservedRun;
  /** Only of operations whose result has parts that are no secret: what they choose to show. */
  result?: unknown;
  error?: unknown;
}

export interface ObservedRun {
  /** What the job was added with. */
  readonly name: string | undefined;
  readonly attempt: number;
  /** From the addition to the claim; of the first run of a job without a delay. */
  readonly waitMs: number | undefined;
  readonly traceparent: string | undefined;
}

export const OPERATION_CHANNEL = "holdfast:operation";

const operations: TracingChannel<Operation, Operation> = tracingChannel(OPERATION_CHANNEL);

/** The operations of one instance of a primitive: traced by their names, and what they refuse is refused in its name. */
export class Operations {
  /** As messages name the instance: `cache "users"`. */
  readonly where: string;
  readonly name: string | undefined;
  readonly #noun: string;

  constructor(noun: string, name: string) {
    // What is no text is refused where the keys are made, and not shown.
    this.where = typeof name === "string" ? `${noun} ${JSON.stringify(name)}` : noun;
    this.#noun = noun;
    this.name = typeof name === "string" ? name : undefined;
  }

  /** Whether anybody sees operations. */
  get areObserved(): boolean {
    return hasSubscribers();
  }

  /** As `observed`, for the operation `noun.verb`. */
  run<T>(verb: string, key: Key, body: () => Promise<T>, shown?: (result: T) => unknown): Promise<T> {
    return observed(`${this.#noun}.${verb}`, key, body, shown, this);
  }

  /** As `run`, for a body that refuses bad input before it returns: what it returns is the caller's promise, at no cost. */
  runAtOnce<T>(verb: string, key: Key, body: () => Promise<T>): Promise<T> {
    if (hasSubscribers()) return this.run(verb, key, body);
    try {
      return body();
    } catch (error) {
      return Promise.reject(this.refused(verb, key, error));
    }
  }

  /** An error as callers of an operation see it: bad input is refused in the name of the instance. */
  refused(verb: string, key: Key, error: unknown): unknown {
    if (!(error instanceof InvalidArgumentError)) return error;
    return error.at(this.where, { op: `${this.#noun}.${verb}`, key: named(key) });
  }
}

type Key = string | number | undefined;

/**
 * Runs `body` as a traced operation. What it throws at once (bad input) is a rejection like every other failure.
 * @param shown what of the result is traced; without it nothing is, as the result may be what a user has stored
 * @param instance what it is of; its `where` is in front of what refuses bad input
 */
export function observed<T>(
  op: string,
  key: Key,
  body: () => Promise<T>,
  shown: (result: T) => unknown = nothing,
  instance?: { readonly where: string; readonly name?: string | undefined },
): Promise<T> {
  const refuse = instance === undefined ? undefined : refusal(instance.where, op, named(key));
  if (!hasSubscribers()) return attempt(body, refuse);
  const operation: Operation = { op, key: named(key), name: instance?.name };
  let whole: Promise<T>;
  const traced = operations.tracePromise(() => {
    whole = attempt(body, refuse);
    return whole.then(shown);
  }, operation);
  return traced.then(() => whole);
}

/**
 * Runs `body`, which may be somebody else's, as a traced operation; it sees the stores that are bound to the channel.
 * @param shown what is traced instead of what it throws; undefined: it is to go on later
 */
export function observedRun<T>(
  describe: () => Operation,
  body: () => T | Promise<T>,
  shown: (error: unknown) => Error | undefined,
): T | Promise<T> {
  if (!hasSubscribers()) return body();
  let whole: Promise<T>;
  const traced = operations.tracePromise(async () => {
    whole = (async () => body())();
    try {
      await whole;
      return "completed";
    } catch (error) {
      const visible = shown(error);
      if (visible !== undefined) throw visible;
      return "released";
    }
  }, describe());
  return traced.then(
    () => whole,
    () => whole,
  );
}

/** What else was given as a name is refused, and may be anything. */
function named(key: unknown): string | undefined {
  return typeof key === "string" || typeof key === "number" ? String(key) : undefined;
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
