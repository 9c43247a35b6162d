/**
 * An inbox: a row for each job whose effect has been committed, in the transaction of that effect.
 *
 * What it promises: of all runs of a job the effects of exactly one are committed. A second run at the same time waits for the first one's
 * transaction, and skips its own if that has committed.
 */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, parseOptions, toMs } from "../../base/options.ts";
import { checkTable, checkTransaction, migration, rowsOf, type SqlClient } from "./sql.ts";

export interface InboxOptions {
  /** With its schema or without, in small letters. @default "holdfast_inbox" */
  readonly table?: string;
  /** How long `clean` leaves a row: longer than a job can be retried, redriven, or sent again. @default "30d" */
  readonly keep?: Duration;
}

export interface InboxOnceOptions {
  /** What is done once. An id of your own that is used again for another job needs another key. @default the job's id */
  readonly key?: string;
}

/** `duplicate`: another run has done it, and nothing was done. */
export type InboxOnceResult<T> = { readonly status: "ok"; readonly value: T } | { readonly status: "duplicate" };

const OPTIONS: OptionNames<InboxOptions> = { table: true, keep: true };
const ONCE_OPTIONS: OptionNames<InboxOnceOptions> = { key: true };
const CHUNK = 1_000;

/**
 * @example
 * const inbox = sqlInbox();
 * emails.work((job) => transaction(pool, (tx) => inbox.once(tx, emails, job, () => tx.query("UPDATE accounts ..."))));
 */
export class SqlInbox {
  readonly #where: string;
  readonly #name: string;
  readonly #table: string;
  readonly #keepMs: number;

  constructor(options?: InboxOptions) {
    const { table = "holdfast_inbox", keepMs } = parseOptions(
      "inbox",
      options,
      OPTIONS,
      ({ table: name, keep = "30d" }) => {
        if (name !== undefined) checkTable("table", name);
        return { table: name, keepMs: toMs("keep", keep, 60_000) };
      },
    );
    this.#where = `inbox "${table}"`;
    this.#name = table;
    this.#table = checkTable("table", table);
    this.#keepMs = keepMs;
  }

  /** Creates the table where there is none. Idempotent, also by several processes at once. */
  async migrate(client: SqlClient): Promise<void> {
    const index = `"${this.#name.replace(/^.*\./, "")}_done_at"`;
    await client.query(
      migration(this.#name, [
        `CREATE TABLE IF NOT EXISTS ${this.#table} (queue text NOT NULL, job text NOT NULL, done_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (queue, job))`,
        `CREATE INDEX IF NOT EXISTS ${index} ON ${this.#table} (done_at)`,
      ]),
    );
  }

  /**
   * Runs `effect` unless a run of this job has committed before. Give `effect` the same `tx`, and let the handler return once
   * that has committed: a run that dies before is rolled back and runs again, one that dies after is skipped.
   * Cost: one INSERT.
   * @throws InvalidArgumentError if `tx` is a pool or a database, whose `query` commits by itself
   */
  async once<T>(
    tx: SqlClient,
    queue: { readonly name: string },
    job: { readonly id: string },
    effect: () => T | Promise<T>,
    options?: InboxOnceOptions,
  ): Promise<InboxOnceResult<T>> {
    checkTransaction(this.#where, tx);
    const { key = job.id } = givenOptions(options, ONCE_OPTIONS);
    if (typeof key !== "string" || key === "" || key.includes("\0"))
      throw new InvalidArgumentError("key", "a non-empty string", key, { where: this.#where });
    const insert = `INSERT INTO ${this.#table} (queue, job) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING job`;
    const rows = await rowsOf(tx, insert, [queue.name, key]);
    return rows.length === 0 ? { status: "duplicate" } : { status: "ok", value: await effect() };
  }

  /** Deletes rows older than `keep`, 1,000 at a time; returns how many. Run it from a schedule, not inside a transaction. */
  async clean(client: SqlClient): Promise<number> {
    const chunk =
      `DELETE FROM ${this.#table} WHERE (queue, job) IN (SELECT queue, job FROM ${this.#table} ` +
      "WHERE done_at < now() - $1::float8 * interval '1 millisecond' ORDER BY done_at LIMIT $2::int FOR UPDATE SKIP LOCKED) RETURNING job";
    let deleted = 0;
    for (;;) {
      const rows = await rowsOf(client, chunk, [this.#keepMs, CHUNK]);
      deleted += rows.length;
      if (rows.length < CHUNK) return deleted;
    }
  }
}

/** Makes an inbox for a table of a PostgreSQL database. No I/O. */
export function sqlInbox(options?: InboxOptions): SqlInbox {
  return new SqlInbox(options);
}
