import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toMs, toTimerMs, wholeBetween } from "../../base/options.ts";

/** What the database is to have of an entry. */
export interface CacheWriteEntry<V> {
  /** A number that was given as an id is its text here. */
  readonly id: string;
  /** undefined: the row is to be removed. */
  readonly value: V | undefined;
  /**
   * A number that rises with each write of the entry, for the database to refuse a late one by: `... WHERE version < $3`. Microseconds since 1970
   * by the server's clock, or more. 0 in mode `through` while the server is away.
   */
  readonly version: number;
  /** 1, or how often it has been begun. */
  readonly attempt: number;
}

export interface CacheWriteContext {
  /** Fires after `writeTimeout`, and when the handle is closed. */
  readonly signal: AbortSignal;
}

/**
 * Writes entries to the database, all of different ids. What it throws has failed for all; a Map says which ids have, and the others have not.
 */
export type CacheWrite<V> = (
  entries: readonly CacheWriteEntry<V>[],
  context: CacheWriteContext,
) => void | ReadonlyMap<string, Error> | Promise<void | ReadonlyMap<string, Error>>;

export interface CacheWriterOptions<V> {
  /** Writes to the database. Without it this process accepts writes (mode `behind`), and others write them. */
  readonly write?: CacheWrite<V>;
  /** `through`: the database is written before `write` returns. `behind`: soon after. @default "through" */
  readonly mode?: "through" | "behind";
  /** Longest run of one call of `write`. @default "10s" */
  readonly writeTimeout?: Duration;
  /** Entries of one call, of mode `behind` and these that follow. @default 100 */
  readonly batch?: number;
  /** How long a write waits for others of its entry, which replace it, and for company. @default "100ms" */
  readonly linger?: Duration;
  /**
   * Entries that may wait for the database or be put aside, of the writes of all processes; in a cluster in each slot. One more is not accepted:
   * `write` rejects with `OVERLOADED`. A write of an entry that waits already replaces the one before it.
   * @default 100_000
   */
  readonly maxWaiting?: number;
  /** How often a process looks for the writes of others. @default "1s" */
  readonly poll?: Duration;
  /** When others take over what a process was writing that has died; longer than `writeTimeout`. @default writeTimeout and 5 seconds */
  readonly claim?: Duration;
  /** How often a write is tried before it is put aside. @default 50 */
  readonly attempts?: number;
  /** Before the second attempt; doubled before each further one, with jitter. @default "1s" */
  readonly backoff?: Duration;
  /** @default "1m" */
  readonly maxBackoff?: Duration;
  /** How long `close` goes on writing what waits; the rest is left to others, or to the next start. @default "5s" */
  readonly drainTimeout?: Duration;
  /** In a cluster: how often all slots are looked at, by one of the processes, for writes of a process that died right after it had accepted them. @default "1m" */
  readonly sweep?: Duration;
  /** Called for each failed call, entry put aside, and write lost to eviction. @default a process warning, once */
  readonly onError?: (error: unknown) => void;
}

const NAMES: OptionNames<CacheWriterOptions<unknown>> = {
  write: true,
  mode: true,
  writeTimeout: true,
  batch: true,
  linger: true,
  maxWaiting: true,
  poll: true,
  claim: true,
  attempts: true,
  backoff: true,
  maxBackoff: true,
  drainTimeout: true,
  sweep: true,
  onError: true,
};

export interface WriterSettings {
  readonly write: CacheWrite<unknown> | undefined;
  readonly mode: "through" | "behind";
  readonly writeTimeoutMs: number;
  readonly batch: number;
  readonly lingerMs: number;
  readonly maxWaiting: number;
  readonly pollMs: number;
  readonly claimMs: number;
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly drainTimeoutMs: number;
  readonly sweepMs: number;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** @param given an object, or a function that writes through */
export function writerSettings<V>(given: CacheWriterOptions<V> | CacheWrite<V>): WriterSettings {
  const options = typeof given === "function" ? { write: given } : givenOptions(given, NAMES, "writer");
  const { write, mode = "through", onError, attempts = 50, batch = 100, maxWaiting = 100_000 } = options;
  if (mode !== "through" && mode !== "behind")
    throw new InvalidArgumentError("writer.mode", '"through" or "behind"', mode);
  if (typeof write !== "function" && (write !== undefined || mode === "through"))
    throw new InvalidArgumentError("writer.write", "a function", write);
  if (onError !== undefined && typeof onError !== "function")
    throw new InvalidArgumentError("writer.onError", "a function", onError);
  const writeTimeoutMs = toTimerMs("writer.writeTimeout", options.writeTimeout ?? "10s");
  const claimMs = toTimerMs("writer.claim", options.claim ?? writeTimeoutMs + 5_000);
  if (claimMs <= writeTimeoutMs)
    throw new InvalidArgumentError("writer.claim", "a duration longer than `writeTimeout`", options.claim);
  return {
    write: write as CacheWrite<unknown> | undefined,
    mode,
    writeTimeoutMs,
    batch: wholeBetween("writer.batch", batch, 1, 1_000),
    lingerMs: toTimerMs("writer.linger", options.linger ?? "100ms", 0),
    maxWaiting: wholeBetween("writer.maxWaiting", maxWaiting, 1, 1_000_000_000),
    pollMs: toTimerMs("writer.poll", options.poll ?? "1s", 10),
    claimMs,
    attempts: wholeBetween("writer.attempts", attempts, 1, 1_000_000),
    backoffMs: toTimerMs("writer.backoff", options.backoff ?? "1s"),
    maxBackoffMs: toTimerMs("writer.maxBackoff", options.maxBackoff ?? "1m"),
    drainTimeoutMs: toTimerMs("writer.drainTimeout", options.drainTimeout ?? "5s", 0),
    sweepMs: toMs("writer.sweep", options.sweep ?? "1m", 100),
    onError,
  };
}
