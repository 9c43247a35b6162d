/**
 * Results of SQL queries, cached by their text and parameters, and invalidated by the tables that they read.
 *
 * Promises: all that a cache promises for each result, so one run of a statement for the fleet. Once `write` or `invalidate` has resolved, nobody who asks is
 * served what was read before: a statement that had begun before the COMMIT may end after it, but has no right to store its rows any more. While the server
 * is away statements run, and `write` says when what it has committed could not be announced.
 */
import { HoldfastError, InvalidArgumentError, isOutage } from "../../base/errors.ts";
import { parseOptions } from "../../base/options.ts";
import type { Cache, CacheLoaded } from "../../cache/cache.ts";
import { hashedKey } from "../../cache/cached/key.ts";
import { type CacheLoad, tagsOf } from "../../cache/load.ts";
import type { CacheInvalidateOptions } from "../../cache/options.ts";
import { Operations } from "../../core/observe/observe.ts";
import type { Holdfast } from "../../holdfast.ts";
import { isTransactional } from "../../queue/outbox/sql.ts";
import { NotInvalidatedError } from "./not-invalidated.ts";
import {
  CACHED_QUERIES_OPTIONS,
  CACHED_QUERY_OPTIONS,
  type CachedQueriesOptions,
  type CachedQueryOptions,
  withTags,
} from "./options.ts";
import { withBuffers } from "./rows.ts";
import { checkDatabase, type QueryDatabases, transactionOf } from "./source.ts";
import { Writes } from "./writes.ts";

/**
 * @example
 * const queries = cachedQueries(hf, pool, { ttl: "10m", grace: "1h" });
 * const late = await queries.query<Flight>("SELECT * FROM flights WHERE delay > $1", [15], { tags: ["flights"] });
 * await queries.write(["flights"], (tx) => tx.query("UPDATE flights SET gate = $1 WHERE id = $2", ["A12", 7]));
 */
export class CachedQueries<Tx> {
  readonly name: string;
  /** What holds the results: for its `stats`, `explain` and `clear`. */
  readonly cache: Cache<unknown>;
  readonly #operations: Operations;
  readonly #database: QueryDatabases<Tx>;
  readonly #goesOn: boolean;
  readonly #writes = new Writes();

  constructor(hf: Holdfast, database: QueryDatabases<Tx>, options: CachedQueriesOptions = {}) {
    const { name = "queries" } = options ?? {};
    this.#operations = new Operations("queries", name);
    const { name: _, ...settings } = parseOptions(this.#operations.where, options, CACHED_QUERIES_OPTIONS, (given) => {
      checkDatabase(database);
      return given;
    });
    this.name = name;
    this.#database = database;
    this.#goesOn = settings.onOutage !== "throw";
    this.cache = hf.cache<unknown>(name, { serializer: "structured", ...settings });
  }

  /**
   * Returns the rows of a statement that reads, stored or read now: as the database's client returns them, and bytes as Buffers. It is for the caller to say
   * which tables it reads. Cost: as `cache.getOrSet`; on a miss the statement.
   * @throws CodecError where a column's type is a class of its own (pg's intervals): cast it, or set a type parser
   * @throws HoldfastError `CONFLICT` inside a write of one of its tables, of which it would not know yet
   */
  query<Row = Record<string, unknown>>(
    text: string,
    params: readonly unknown[],
    options: CachedQueryOptions,
  ): Promise<Row[]> {
    return this.#operations.run("query", undefined, async () => {
      const id = this.key(text, params);
      const load = async (): Promise<readonly unknown[]> => (await this.#database.query(text, [...params])).rows;
      return withBuffers(await this.#load("query", id, load, options)) as Row[];
    });
  }

  /**
   * As `query`, with what reads given by the caller: a query of an ORM, several statements, a result made of rows.
   * @param key plain data, dates and bytes: other data is another entry
   */
  getOrSet<R>(key: unknown, load: CacheLoad<R>, options: CachedQueryOptions): Promise<CacheLoaded<unknown, R>> {
    return this.#operations.run("getOrSet", undefined, async () => {
      const id = this.#named(() => {
        if (key === undefined) throw new InvalidArgumentError("key", "plain data", key);
        return hashedKey("", "key", key);
      });
      return this.#load("getOrSet", id, load, options) as Promise<CacheLoaded<unknown, R>>;
    });
  }

  /**
   * Runs `work` in a transaction, and invalidates the results that read these tables: once before the COMMIT, so that a process that dies right after it leaves
   * no more than what was read in between, and once after it, before this resolves. Rolled back if `work` rejects.
   * Cost: BEGIN, COMMIT, and two scripts.
   * @throws NotInvalidatedError if it is committed, and could not be announced
   * @throws HoldfastError `UNSUPPORTED` where the database is a single client, whose transaction others would be in
   */
  write<T>(tables: Iterable<string>, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#operations.run("write", undefined, async () => {
      const tags = tagsOf("tables", tables);
      if (tags.length === 0) throw new InvalidArgumentError("tables", "at least one table", tables);
      if (typeof work !== "function") throw new InvalidArgumentError("work", "a function", work);
      if (!isTransactional(this.#database)) throw this.#unsupported();
      const value = await this.#commit(tags, work);
      try {
        await this.cache.invalidate({ tags });
      } catch (cause) {
        throw new NotInvalidatedError(this.#operations.where, tags, value, cause);
      }
      return value;
    });
  }

  /**
   * Invalidates every result that reads one of these tables: once it resolves nobody is served what was read before it was called. To be called when the
   * change has been committed. Idempotent. Cost: one script, whatever the number of results.
   */
  invalidate(options: CacheInvalidateOptions): Promise<void> {
    return this.cache.invalidate(options);
  }

  /** Returns the id of a query's entry, a hash: parameters may be secrets. No I/O. @throws InvalidArgumentError for a parameter that has no key */
  key(text: string, params: readonly unknown[]): string {
    return this.#named(() => {
      if (typeof text !== "string" || text === "") throw new InvalidArgumentError("text", "an SQL statement", text);
      if (!Array.isArray(params)) throw new InvalidArgumentError("params", "an array", params);
      return hashedKey(text, "params", params);
    });
  }

  async #commit<T>(tags: readonly string[], work: (tx: Tx) => Promise<T>): Promise<T> {
    let mayBeCommitted = false;
    try {
      return await transactionOf(this.#database, async (tx: Tx) => {
        const value = await this.#writes.run(tags, () => work(tx));
        await this.#announce(tags);
        mayBeCommitted = true;
        return value;
      });
    } catch (error) {
      // The answer to the COMMIT may have been lost.
      if (mayBeCommitted) await this.cache.invalidate({ tags }).catch(() => undefined);
      throw error;
    }
  }

  async #announce(tags: readonly string[]): Promise<void> {
    try {
      await this.cache.invalidate({ tags });
    } catch (error) {
      if (!this.#goesOn || !isOutage(error)) throw error;
    }
  }

  #load(verb: string, id: string, load: CacheLoad<unknown>, options: CachedQueryOptions): Promise<unknown> {
    const { where } = this.#operations;
    const terms = parseOptions(where, options, CACHED_QUERY_OPTIONS, (given) => {
      return { ...given, tags: tagsOf("tags", withTags(given).tags) };
    });
    this.#writes.refuse(where, terms.tags, `queries.${verb}`);
    return this.cache.getOrSet(id, load, terms);
  }

  #named(make: () => string): string {
    try {
      return make();
    } catch (error) {
      throw error instanceof InvalidArgumentError ? error.at(this.#operations.where) : error;
    }
  }

  #unsupported(): HoldfastError {
    const message = `${this.#operations.where}: write needs a pool, or a database with transaction(): what else uses this one client would be in its transaction`;
    return new HoldfastError("UNSUPPORTED", message, { op: "queries.write" });
  }
}
