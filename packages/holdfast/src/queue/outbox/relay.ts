/**
 * The relay of an outbox. Each round is one SQL transaction: lock rows, add their jobs, delete the rows. A relay that dies after it has
 * added leaves the rows, and the next one adds them again under the same ids and unique keys: `duplicate`, and they are deleted.
 */
import { inform } from "../../base/inform.ts";
import { HoldfastError, InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, listOf, type OptionNames, toMs, toTimerMs, wholeBetween } from "../../base/options.ts";
import { sleep, systemRuntime } from "../../base/runtime.ts";
import type { QueueAddOptions } from "../add-options.ts";
import { Pause } from "../../core/retry/pause.ts";
import { listenTo } from "./listen.ts";
import { checkSource, inTransaction, type Row, rowsOf, type SqlClient, type SqlSource } from "./sql.ts";

/** What a relay needs of a queue: any `Queue`. */
export interface OutboxQueue {
  readonly name: string;
  decode(bytes: Uint8Array): unknown;
  add(payload: never, options: QueueAddOptions): Promise<{ readonly status: string }>;
}

export interface OutboxRelayOptions {
  /** A pool (pg's `Pool`), or a database with `transaction` (PGlite). */
  readonly database: SqlSource;
  /** Rows of other queues are left for other relays. */
  readonly queues: readonly OutboxQueue[];
  /** Rows per transaction, 1 to 200. @default 200 */
  readonly batch?: number;
  /** How often the table is looked at when it was empty. @default "500ms" */
  readonly poll?: Duration;
  /** Looks at once when an outbox with `notify` has added; takes one connection of the pool for itself. @default false */
  readonly listen?: boolean;
  /**
   * `table`: rows become jobs in the order of their INSERTs, by one relay at a time; the others stand by. `none`: all relays work at once.
   * @default "table"
   */
  readonly order?: "table" | "none";
  /** How long a queue knows the ids that came from here, for relays that died before they could delete a row. @default "1d" */
  readonly remember?: Duration;
  /** @default the first error of a relay is emitted as a process warning */
  readonly onError?: (error: unknown) => void;
}

export interface OutboxRelayStats {
  /** Rows that became jobs by this relay. */
  readonly sent: number;
  /** Rows whose jobs had been added before, by a relay that died. */
  readonly duplicates: number;
  /** Rows put aside. */
  readonly failed: number;
}

export interface RelaySettings {
  readonly database: SqlSource;
  readonly queues: ReadonlyMap<string, OutboxQueue>;
  readonly batch: number;
  readonly pollMs: number;
  readonly listen: boolean;
  readonly isOrdered: boolean;
  readonly rememberMs: number;
  readonly onError: ((error: unknown) => void) | undefined;
}

export const RELAY_OPTIONS: OptionNames<OutboxRelayOptions> = {
  database: true,
  queues: true,
  batch: true,
  poll: true,
  listen: true,
  order: true,
  remember: true,
  onError: true,
};

/** As many as one script of a queue takes: all of a batch is added, or none. */
const MAX_BATCH = 200;
/** A relay that is frozen holds its rows no longer: PostgreSQL ends its session. */
const MAX_FROZEN_MS = 60_000;

function isQueue(queue: OutboxQueue): boolean {
  return typeof queue?.decode === "function" && typeof queue.name === "string";
}

export function relaySettings(options: OutboxRelayOptions): RelaySettings {
  const { batch = MAX_BATCH, poll = "500ms", listen = false, order = "table", remember = "1d", onError } = options;
  const queues = listOf("queues", options.queues, "queues");
  if (queues.length === 0 || !queues.every(isQueue))
    throw new InvalidArgumentError("queues", "a list of at least one queue of hf.queue(name)", options.queues);
  if (order !== "table" && order !== "none") throw new InvalidArgumentError("order", '"table" or "none"', order);
  if (typeof listen !== "boolean") throw new InvalidArgumentError("listen", "a boolean", listen);
  if (onError !== undefined && typeof onError !== "function")
    throw new InvalidArgumentError("onError", "a function", onError);
  return {
    database: checkSource("database", options.database),
    queues: new Map(queues.map((queue) => [queue.name, queue])),
    batch: wholeBetween("batch", batch, 1, MAX_BATCH),
    pollMs: toTimerMs("poll", poll, 10),
    listen,
    isOrdered: order === "table",
    rememberMs: toMs("remember", remember, 60_000),
    onError,
  };
}

interface RelayPlace {
  /** As messages name the outbox. */
  readonly where: string;
  readonly table: string;
  readonly channel: string;
}

/** What has become of a row. */
type Fate = { readonly sent: "ok" | "duplicate" } | { readonly refused: string } | { readonly error: unknown };

/** A relay that runs until it is closed. */
export class OutboxRelay implements AsyncDisposable {
  readonly #terms: RelaySettings & RelayPlace;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #stats = { sent: 0, duplicates: 0, failed: 0 };
  #isHungry = true;
  #rest: AbortController | undefined;
  #hasWarned = false;

  constructor(terms: RelaySettings & RelayPlace) {
    this.#terms = terms;
    const listening = terms.listen ? this.#listen() : Promise.resolve();
    this.#ended = Promise.all([this.#work(), listening]).then(() => undefined);
  }

  stats(): OutboxRelayStats {
    return { ...this.#stats };
  }

  /** Looks at the table now, for those who know of a commit. */
  look(): void {
    this.#isHungry = true;
    this.#rest?.abort();
  }

  /** Ends after the batch under way. Idempotent. */
  close(): Promise<void> {
    this.#stop.abort();
    this.#rest?.abort();
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    let pause = new Pause(systemRuntime, signal);
    while (!signal.aborted) {
      this.#isHungry = false;
      try {
        const hasMore = await this.#round();
        this.#isHungry ||= hasMore;
        pause = new Pause(systemRuntime, signal);
        if (!this.#isHungry) await this.#restFor(this.#terms.pollMs);
      } catch (error) {
        if (!signal.aborted) this.#report(error);
        // The queues' handle was closed: no round will ever succeed.
        if (error instanceof HoldfastError && error.code === "CLOSED") return this.#stop.abort();
        await pause.next();
      }
    }
  }

  async #restFor(ms: number): Promise<void> {
    this.#rest = new AbortController();
    if (!this.#isHungry && !this.#stop.signal.aborted) await sleep(systemRuntime, ms, this.#rest.signal);
    this.#rest = undefined;
  }

  /** Returns whether there may be more. */
  async #round(): Promise<boolean> {
    const { database, batch } = this.#terms;
    const { rows, fates } = await inTransaction(database, async (tx) => {
      const locked = (await this.#isMyTurn(tx)) ? await this.#lock(tx) : [];
      const ends = await Promise.all(locked.map((row) => this.#send(row)));
      await this.#clear(tx, locked, ends);
      return { rows: locked, fates: ends };
    });
    // Committed: until then nothing of it counts.
    for (const fate of fates) {
      if ("refused" in fate) {
        this.#stats.failed += 1;
        this.#report(new Error(`${this.#terms.where}: a row was put aside: ${fate.refused}`));
      } else if ("sent" in fate) this.#stats[fate.sent === "ok" ? "sent" : "duplicates"] += 1;
    }
    const failure = fates.find((fate) => "error" in fate);
    if (failure !== undefined) throw failure.error;
    return rows.length === batch;
  }

  async #isMyTurn(tx: SqlClient): Promise<boolean> {
    const { isOrdered, table } = this.#terms;
    const turn = isOrdered ? "pg_try_advisory_xact_lock(hashtextextended($2, 0))" : "$2 <> ''";
    const [row] = await rowsOf(
      tx,
      `SELECT set_config('idle_in_transaction_session_timeout', $1, true), ${turn} AS mine`,
      [String(MAX_FROZEN_MS), `relay ${table}`],
    );
    return row?.["mine"] === true;
  }

  #lock(tx: SqlClient): Promise<readonly Row[]> {
    const { table, queues, batch, isOrdered } = this.#terms;
    return rowsOf(
      tx,
      `SELECT seq::text AS seq, id, queue, encode(payload, 'base64') AS payload, options FROM ${table} WHERE queue = ANY($1::text[]) ` +
        `AND failed_at IS NULL ORDER BY ${table}.seq LIMIT $2::int FOR UPDATE${isOrdered ? "" : " SKIP LOCKED"}`,
      [[...queues.keys()], batch],
    );
  }

  /** Called for all rows in the same tick, so that they share a script, in their order. */
  async #send(row: Row): Promise<Fate> {
    const id = String(row["id"]);
    try {
      const queue = this.#terms.queues.get(String(row["queue"]))!;
      const payload = queue.decode(Buffer.from(String(row["payload"]), "base64")) as never;
      const options = optionsFrom(String(row["options"]));
      // Equal, as they choose the partition.
      const unique = { key: id, for: this.#terms.rememberMs };
      const { status } = await queue.add(payload, { ...options, id, unique });
      if (status === "ok" || status === "duplicate") return { sent: status };
      return { error: new Error(`${this.#terms.where}: queue "${queue.name}" takes no job now: ${status}`) };
    } catch (error) {
      const isRefused = error instanceof HoldfastError && (error.code === "INVALID_ARGUMENT" || error.code === "CODEC");
      return isRefused || error instanceof SyntaxError ? { refused: error.message } : { error };
    }
  }

  async #clear(tx: SqlClient, rows: readonly Row[], fates: readonly Fate[]): Promise<void> {
    const { table } = this.#terms;
    const sent = rows.flatMap(({ seq }, at) => ("sent" in fates[at]! ? [seq] : []));
    if (sent.length > 0) await tx.query(`DELETE FROM ${table} WHERE seq = ANY($1::bigint[])`, [sent]);
    for (const [at, fate] of fates.entries()) {
      if (!("refused" in fate)) continue;
      const change = `UPDATE ${table} SET failed_at = now(), error = $2 WHERE seq = $1::bigint`;
      await tx.query(change, [rows[at]!["seq"], fate.refused.slice(0, 500)]);
    }
  }

  async #listen(): Promise<void> {
    const { signal } = this.#stop;
    const { database, channel } = this.#terms;
    const pause = new Pause(systemRuntime, signal);
    while (!signal.aborted) {
      await listenTo(database, channel, () => this.look(), signal).catch((error: unknown) => this.#report(error));
      if (!signal.aborted) await pause.next();
    }
  }

  #report(error: unknown): void {
    const { onError } = this.#terms;
    if (onError !== undefined) return inform(() => onError(error));
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const reason = error instanceof Error ? error.message : String(error);
    process.emitWarning(`${this.#terms.where}: the relay goes on trying: ${reason}`, { code: "HOLDFAST_OUTBOX" });
  }
}

/** A Date has become a text on its way, which no duration looks like. */
function optionsFrom(text: string): QueueAddOptions {
  const options = JSON.parse(text) as QueueAddOptions;
  const { expires } = options;
  return typeof expires === "string" && expires.includes("T") ? { ...options, expires: new Date(expires) } : options;
}
