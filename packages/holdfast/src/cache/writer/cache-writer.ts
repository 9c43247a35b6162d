/** What is done with the writes of a cache, besides writing: looking at them, holding them up, and those that were put aside. */
import { HoldfastError } from "../../base/errors.ts";
import type { Operations } from "../../core/observe/observe.ts";
import type { CacheDeadWrites } from "./dead-writes.ts";
import type { CacheWriterStats, Flusher } from "./flusher.ts";
import type { WriteLog } from "./write-log.ts";

export interface CacheWriterLag {
  /** Entries that the database has yet to have. */
  readonly count: number;
  /** How long the oldest of them has waited. */
  readonly oldestMs: number;
  /** Entries that were put aside. */
  readonly dead: number;
  readonly isPaused: boolean;
}

/**
 * @example
 * const views = hf.cache<number>("views", { writer: { mode: "behind", write: (entries) => db.saveViews(entries) } });
 * await views.write("post:42", 7);
 * await views.writer.lag();
 */
export class CacheWriter<V> {
  readonly dead: CacheDeadWrites<V>;
  readonly #operations: Operations;
  readonly #log: WriteLog;
  readonly #flusher: Flusher | undefined;

  constructor(operations: Operations, log: WriteLog, flusher: Flusher | undefined, dead: CacheDeadWrites<V>) {
    this.#operations = operations;
    this.#log = log;
    this.#flusher = flusher;
    this.dead = dead;
  }

  /** Returns how many entries wait for the database, and for how long. Cost: a script; in a cluster one per slot that has some. */
  lag(): Promise<CacheWriterLag> {
    return this.#operations.run("writer.lag", undefined, async () => {
      const isPaused = await this.#log.logs.isPaused();
      return { ...(await this.#log.lag()), isPaused };
    });
  }

  /** Ends the writing to the database, in all processes, until `resume`; writes are accepted as ever. Idempotent. Cost: SET. */
  pause(): Promise<void> {
    return this.#operations.run("writer.pause", undefined, () => this.#log.logs.pause());
  }

  /** Idempotent. Cost: DEL. */
  resume(): Promise<void> {
    return this.#operations.run("writer.resume", undefined, async () => {
      await this.#log.logs.resume();
      this.#flusher?.wake();
    });
  }

  /**
   * Writes what waits to the database now, without waiting for `linger`; what has failed just now keeps its pause.
   * @throws HoldfastError `UNSUPPORTED` where this process has no `write`, or the mode is `through`
   */
  drain(): Promise<void> {
    return this.#operations.run("writer.drain", undefined, async () => {
      if (this.#flusher === undefined)
        throw new HoldfastError(
          "UNSUPPORTED",
          "only a process that has the function of a writer in mode behind can drain",
        );
      await this.#flusher.drain(new AbortController().signal);
    });
  }

  /** Returns counts of this process. */
  stats(): CacheWriterStats {
    return this.#flusher?.stats() ?? { written: 0, calls: 0, failed: 0, dead: 0, late: 0, lost: 0 };
  }
}
