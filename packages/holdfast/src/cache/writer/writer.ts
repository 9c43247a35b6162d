/**
 * A cache that writes to the database: before `write` returns (`through`), or soon after (`behind`).
 *
 * Promises: what `write` has accepted reaches the database, whichever process dies when, as long as the server keeps it; the writes of an entry in their
 * order, of which later ones may replace earlier ones; nobody who asks the cache gets a value older than an accepted write, though the entry expires
 * or is evicted before the database has it.
 */
import { inform } from "../../base/inform.ts";
import { CodecError, HoldfastError, isOutage } from "../../base/errors.ts";
import type { Core } from "../../core/core.ts";
import type { Id } from "../../core/keyspace/keyspace.ts";
import { Operations } from "../../core/observe/observe.ts";
import { type CacheLoad, Pending } from "../load.ts";
import { messageOf } from "./attempt.ts";
import { CacheWriter } from "./cache-writer.ts";
import { CacheDeadWrites } from "./dead-writes.ts";
import { Flusher } from "./flusher.ts";
import type { WriterSettings } from "./options.ts";
import type { WriterCache } from "./port.ts";
import { Through } from "./through.ts";
import { WriteLog } from "./write-log.ts";

export interface CacheWriteResult {
  readonly status: "ok";
  /** As the database gets it; 0 in mode `through` while the server is away. */
  readonly version: number;
  /** Whether the cache has it too. False: the entry was removed, or will be as soon as the server is back. */
  readonly isCached: boolean;
}

export class Writer<V> {
  /** What its users get. */
  readonly control: CacheWriter<V>;
  readonly #operations: Operations;
  readonly #cache: WriterCache;
  readonly #log: WriteLog;
  readonly #settings: WriterSettings;
  readonly #through: Through | undefined;
  readonly #flusher: Flusher | undefined;
  #hasWarned = false;

  constructor(core: Core, cache: WriterCache, settings: WriterSettings) {
    this.#operations = new Operations("cache", cache.name);
    this.#cache = cache;
    this.#settings = settings;
    this.#log = new WriteLog(core, cache);
    const { write, mode, writeTimeoutMs } = settings;
    if (write !== undefined && mode === "through") this.#through = new Through(core, cache, write, writeTimeoutMs);
    if (write !== undefined && mode === "behind") {
      const terms = { ...settings, write };
      this.#flusher = new Flusher(core.driver.runtime, cache, this.#log, terms, (error) => this.#report(error));
      core.own(this.#flusher);
    }
    const dead = new CacheDeadWrites<V>(this.#operations, cache, this.#log);
    this.control = new CacheWriter(this.#operations, this.#log, this.#flusher, dead);
  }

  get isBehind(): boolean {
    return this.#settings.mode === "behind";
  }

  /** Writes through, or notes that it is to be written. */
  async accept(id: Id, value: unknown, ttlMs: number | undefined): Promise<CacheWriteResult> {
    if (this.#through !== undefined) return { status: "ok", ...(await this.#through.write(id, value, ttlMs)) };
    const payload = value === undefined ? undefined : this.#cache.encode(this.#cache.key(id), value);
    const unknown = this.#log.known();
    if (unknown !== undefined) await unknown;
    const result = await this.#log.accept(id, payload, ttlMs, this.#settings);
    if (result.status === "full") throw this.#full(id);
    this.#flusher?.wake();
    return { status: "ok", version: result.version, isCached: true };
  }

  /** The value of an entry that the database has yet to have; undefined also where there is no such write. */
  async pendingValue(id: Id): Promise<unknown> {
    return (await this.#pending(id))?.value;
  }

  /**
   * A loader that does not read the database while that is behind. It is called by whoever has the right to load, which the next write takes
   * away: what it finds is stored only if no write was accepted meanwhile.
   */
  guarded(load: CacheLoad<unknown>): CacheLoad<unknown> | undefined {
    if (!this.isBehind) return undefined;
    return async (context) => {
      let found;
      try {
        found = await this.#pending(context.id);
      } catch (error) {
        const isUnreadable = error instanceof CodecError;
        if (!isUnreadable && !(isOutage(error) && this.#cache.goesOn)) throw error;
        // It may be older than what waits: for this caller only.
        context.skip();
      }
      return found === undefined ? load(context) : new Pending(found.value);
    };
  }

  #full(id: Id): HoldfastError {
    const many = `${this.#settings.maxWaiting} entries wait for the database or were put aside`;
    const advice = "see writer.lag() and writer.dead, or raise writer.maxWaiting";
    const message = `${this.#operations.where}: the write of ${JSON.stringify(id)} is not accepted, as ${many}; ${advice}`;
    return new HoldfastError("OVERLOADED", message, { op: "cache.write", key: String(id), retryable: true });
  }

  async #pending(id: Id): Promise<{ readonly value: unknown } | undefined> {
    const write = await this.#log.pending(id);
    if (write === undefined) return undefined;
    return { value: write.removes ? undefined : this.#cache.decode(this.#cache.key(id), write.payload) };
  }

  #report(error: unknown): void {
    const { onError } = this.#settings;
    if (onError !== undefined) return inform(() => onError(error));
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const text = `${this.#operations.where}: the writer goes on trying: ${messageOf(error)}`;
    process.emitWarning(text, { code: "HOLDFAST_CACHE_WRITER" });
  }
}
