/**
 * Queries of Drizzle through the query cache: `cachedRows` runs a select once for all processes, and `queries.write` gives its function Drizzle's own
 * transaction and invalidates its tables when that has committed.
 *
 * `DrizzleCache` is for Drizzle's own option `cache`. It is weaker, whatever is behind it: Drizzle calls `onMutate` while the statement runs, in a transaction
 * long before its COMMIT, so a select in between is cached with the old rows, until its ttl.
 */
import type { Cache, Holdfast } from "holdfast";
import { type CachedQueries, cachedQueries } from "holdfast/pg";
import { getTableName, type Table } from "drizzle-orm";
import { Cache as CacheOfDrizzle, type MutationOption } from "drizzle-orm/cache/core";
import type { CacheConfig } from "drizzle-orm/cache/core/types";
import type { PgliteDatabase } from "drizzle-orm/pglite";

type Transaction<S extends Record<string, unknown>> = Parameters<Parameters<PgliteDatabase<S>["transaction"]>[0]>[0];

export function drizzleQueries<S extends Record<string, unknown>>(
  hf: Holdfast,
  db: PgliteDatabase<S>,
): CachedQueries<Transaction<S>> {
  const database = {
    query: () => Promise.reject(new Error("give a query of Drizzle to cachedRows")),
    transaction: <T>(work: (tx: Transaction<S>) => Promise<T>) => db.transaction(work),
  };
  return cachedQueries(hf, database, { name: "drizzle", ttl: "5m" });
}

/** A query of Drizzle that has not been awaited. */
interface Query<R> extends PromiseLike<R> {
  toSQL(): { readonly sql: string; readonly params: unknown[] };
}

/** Returns its rows, stored or read now; `tables` are those that it reads. */
export function cachedRows<R>(
  queries: Pick<CachedQueries<never>, "getOrSet">,
  query: Query<R>,
  tables: readonly Table[],
): Promise<R> {
  const { sql, params } = query.toSQL();
  const rows: Promise<unknown> = queries.getOrSet({ sql, params }, async () => query, {
    tags: tables.map((table) => getTableName(table)),
  });
  return rows as Promise<R>;
}

/** `drizzle(client, { cache: new DrizzleCache(hf) })`, then `db.select().from(flights).$withCache()`. */
export class DrizzleCache extends CacheOfDrizzle {
  readonly #cache: Cache<{ readonly rows: unknown }>;

  constructor(hf: Holdfast) {
    super();
    this.#cache = hf.cache("drizzle-own", { ttl: "1m", serializer: "structured" });
    // `db.$cache.invalidate` is this very function, called without its object.
    this.onMutate = this.onMutate.bind(this);
  }

  strategy(): "explicit" {
    return "explicit";
  }

  async get(key: string): Promise<never[] | undefined> {
    // What Drizzle wants here is what its client returned, and not an array, as its type says.
    return (await this.#cache.get(key)) as never[] | undefined;
  }

  async put(
    key: string,
    { rows }: { rows: unknown },
    tables: string[],
    _: boolean,
    config?: CacheConfig,
  ): Promise<void> {
    const ttl = config?.px ?? (config?.ex === undefined ? undefined : config.ex * 1_000);
    await this.#cache.set(key, { rows }, { tags: tables, ...(ttl === undefined ? {} : { ttl }) });
  }

  async onMutate({ tags = [], tables = [] }: MutationOption): Promise<void> {
    const names = [tables].flat().map((table) => (typeof table === "string" ? table : getTableName(table)));
    await Promise.all([this.#cache.deleteMany([tags].flat()), this.#cache.invalidate({ tags: names })]);
  }
}
