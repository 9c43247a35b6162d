/**
 * An outbox: jobs and messages are rows of a table of yours, written in the transaction that they belong to, and moved to their queues and topics by a relay.
 *
 * What it promises: a row that was committed becomes a job, exactly one, and a row that was rolled back becomes none, whichever process
 * dies at whatever moment. The relay adds a row's job before it deletes the row, in one SQL transaction; where it dies in between,
 * the next one adds it again, and the queue, or the topic, knows the row's id (`remember`). That the job's handler has its effect exactly once is the
 * inbox's part. While the queue's server is away rows wait in the table; while the database is away nothing is added.
 */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, listOf, type OptionNames, parseOptions } from "../../base/options.ts";
import { ADD_MANY_OPTIONS, addSettings, type QueueAddOptions } from "../add-options.ts";
import type { Queue } from "../queue.ts";
import { OutboxRelay } from "./relay.ts";
import { isTopic, type OutboxRelayOptions, RELAY_OPTIONS, relaySettings } from "./relay-options.ts";
import { checkTable, checkTransaction, migration, rowsOf, type SqlClient } from "./sql.ts";

export interface OutboxOptions {
  /** With its schema or without, in small letters. @default "holdfast_outbox" */
  readonly table?: string;
  /** Sends a NOTIFY with each transaction that adds, for relays that `listen`. It makes commits wait for each other. @default false */
  readonly notify?: boolean;
}

/** As for `queue.add`. A delay, and a duration in `expires`, count from when the relay adds the job. The row's own id is the job's, and its unique key. */
export type OutboxAddOptions = Omit<QueueAddOptions, "id" | "key" | "unique" | "children" | "wait">;

/** As for `topic.publish`. A delay, and a `ttl`, count from when the relay publishes it. */
export interface OutboxPublishOptions {
  /** Messages of one key keep their order. @default none */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The message's: one that was published with it within `dedupeFor` is not published again. @default the row's own */
  readonly id?: string;
  readonly delay?: Duration;
  readonly ttl?: Duration;
}

/** One of `publishMany`. */
export interface OutboxPublishItem<Message> extends OutboxPublishOptions {
  readonly message: Message;
}

/** A topic of `hf.topic(name)`. */
export interface OutboxTarget<Message> {
  readonly name: string;
  readonly outlet: { newId(): string; encode(message: Message, options?: OutboxPublishOptions): Buffer };
}

export interface OutboxAddResult {
  readonly status: "ok";
  /** The job's, for `queue.result(id)`, or the message's. */
  readonly id: string;
}

export interface OutboxInfo {
  /** Committed, and not with its queue or topic yet. */
  readonly waiting: number;
  /** Put aside, as no queue or topic takes them: their column `error` has the reason. */
  readonly failed: number;
  /** Age of the oldest waiting row, in milliseconds; 0 where none waits. */
  readonly oldestMs: number;
}

const OPTIONS: OptionNames<OutboxOptions> = { table: true, notify: true };
/** One statement's arrays. */
const MAX_ROWS = 1_000;

/**
 * @example
 * const outbox = sqlOutbox();
 * await outbox.migrate(pool);
 * await transaction(async (tx) => {
 *   await tx.query("INSERT INTO orders ...");
 *   await outbox.add(tx, emails, { to: "ada@example.com" });
 * });
 * await using relay = outbox.relay({ database: pool, queues: [emails] });
 */
export class SqlOutbox {
  readonly #where: string;
  readonly #name: string;
  readonly #table: string;
  readonly #channel: string;
  readonly #notify: boolean;

  constructor(options?: OutboxOptions) {
    const { table = "holdfast_outbox", notify = false } = parseOptions("outbox", options, OPTIONS, (given) => {
      if (given.table !== undefined) checkTable("table", given.table);
      if (given.notify !== undefined && typeof given.notify !== "boolean")
        throw new InvalidArgumentError("notify", "a boolean", given.notify);
      return given;
    });
    this.#where = `outbox "${table}"`;
    this.#name = table;
    this.#table = checkTable("table", table);
    this.#channel = `holdfast_${table.replace(".", "_")}`;
    this.#notify = notify;
  }

  /** Creates the table where there is none. Idempotent, also by several processes at once. */
  async migrate(client: SqlClient): Promise<void> {
    const columns =
      "seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL, queue text NOT NULL, payload bytea NOT NULL, " +
      "options text NOT NULL, added_at timestamptz NOT NULL DEFAULT now(), failed_at timestamptz, error text";
    // A row of a topic has an empty `queue`: no queue has this name.
    const statements = [
      `CREATE TABLE IF NOT EXISTS ${this.#table} (${columns})`,
      `ALTER TABLE ${this.#table} ADD COLUMN IF NOT EXISTS topic text`,
    ];
    await client.query(migration(this.#name, statements));
  }

  /**
   * Writes a job into the table, in the transaction of `tx`: it is added to the queue once that has committed.
   * The payload is stored as the queue stores it, schema, compression and encryption included.
   * Cost: one INSERT.
   * @throws InvalidArgumentError if `tx` is a pool or a database, whose `query` commits by itself
   */
  async add<Payload>(
    tx: SqlClient,
    queue: Queue<Payload>,
    payload: Payload,
    options?: OutboxAddOptions,
  ): Promise<OutboxAddResult> {
    const [added] = await this.addMany(tx, queue, [payload], options);
    return added!;
  }

  /** As `add` for each of them, with the same options; in their order. Cost: one INSERT per 1,000. */
  async addMany<Payload>(
    tx: SqlClient,
    queue: Queue<Payload>,
    payloads: Iterable<Payload>,
    options?: OutboxAddOptions,
  ): Promise<OutboxAddResult[]> {
    checkTransaction(this.#where, tx);
    const travelling = this.#travelling(options);
    const rows = listOf("payloads", payloads, "payloads").map((payload) => ({
      id: queue.newId(options?.group),
      payload: queue.encode(payload).toString("base64"),
    }));
    for (let at = 0; at < rows.length; at += MAX_ROWS) {
      const chunk = rows.slice(at, at + MAX_ROWS);
      await tx.query(
        `INSERT INTO ${this.#table} (id, queue, payload, options) SELECT given.id, $1::text, decode(given.payload, 'base64'), $2::text ` +
          "FROM unnest($3::text[], $4::text[]) WITH ORDINALITY AS given (id, payload, place) ORDER BY place",
        [queue.name, travelling, chunk.map(({ id }) => id), chunk.map(({ payload }) => payload)],
      );
    }
    if (this.#notify && rows.length > 0) await tx.query("SELECT pg_notify($1, '')", [this.#channel]);
    return rows.map(({ id }) => ({ status: "ok", id }));
  }

  /**
   * Writes a message into the table, in the transaction of `tx`: it is published once that has committed.
   * It is stored as the topic stores it, schema, compression and encryption included.
   * Cost: one INSERT.
   * @throws InvalidArgumentError if `tx` is a pool or a database, whose `query` commits by itself
   */
  async publish<Message>(
    tx: SqlClient,
    topic: OutboxTarget<Message>,
    message: Message,
    options?: OutboxPublishOptions,
  ): Promise<OutboxAddResult> {
    const [published] = await this.#publish(tx, topic, [[message, options]]);
    return published!;
  }

  /** As `publish` for each of them, in their order. Cost: one INSERT per 1,000. */
  async publishMany<Message>(
    tx: SqlClient,
    topic: OutboxTarget<Message>,
    items: Iterable<OutboxPublishItem<Message>>,
  ): Promise<OutboxAddResult[]> {
    return this.#publish(
      tx,
      topic,
      listOf("items", items, "messages such as { message: ... }").map(({ message, ...options }) => [message, options]),
    );
  }

  async #publish<Message>(
    tx: SqlClient,
    topic: OutboxTarget<Message>,
    messages: readonly (readonly [Message, OutboxPublishOptions | undefined])[],
  ): Promise<OutboxAddResult[]> {
    checkTransaction(this.#where, tx);
    const outlet = checkTarget(this.#where, topic);
    const rows = messages.map(([message, options]) => {
      const payload = outlet.encode(message, options).toString("base64");
      const { id = outlet.newId(), ...travelling } = options ?? {};
      return { id, payload, options: JSON.stringify(travelling) };
    });
    for (let at = 0; at < rows.length; at += MAX_ROWS) {
      const chunk = rows.slice(at, at + MAX_ROWS);
      await tx.query(
        `INSERT INTO ${this.#table} (id, queue, topic, payload, options) SELECT given.id, '', $1::text, decode(given.payload, 'base64'), given.options ` +
          "FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS given (id, payload, options, place) ORDER BY place",
        [topic.name, chunk.map(({ id }) => id), chunk.map(({ payload }) => payload), chunk.map((row) => row.options)],
      );
    }
    if (this.#notify && rows.length > 0) await tx.query("SELECT pg_notify($1, '')", [this.#channel]);
    return rows.map(({ id }) => ({ status: "ok", id }));
  }

  /**
   * Moves committed rows to their queues and topics until it, or their handle, is closed. Any number of processes may run one.
   * Cost: per batch one SQL transaction of three statements, and one script for each 200 jobs of a queue, or 200 messages of a topic's partition.
   */
  relay(options: OutboxRelayOptions): OutboxRelay {
    const settings = parseOptions(`${this.#where}: relay`, options, RELAY_OPTIONS, relaySettings);
    return new OutboxRelay({ ...settings, where: this.#where, table: this.#table, channel: this.#channel });
  }

  /** Counts what waits. Cost: one query that reads the table. */
  async info(client: SqlClient): Promise<OutboxInfo> {
    const [row] = await rowsOf(
      client,
      "SELECT count(*) FILTER (WHERE failed_at IS NULL)::float8 AS waiting, count(failed_at)::float8 AS failed, " +
        "coalesce(extract(epoch FROM clock_timestamp() - min(added_at) FILTER (WHERE failed_at IS NULL)) * 1000, 0)::float8 AS oldest " +
        `FROM ${this.#table}`,
    );
    return {
      waiting: Number(row?.["waiting"]),
      failed: Number(row?.["failed"]),
      oldestMs: Math.round(Number(row?.["oldest"])),
    };
  }

  /** Lets rows that were put aside be tried again; returns how many. Cost: one UPDATE. */
  async redrive(client: SqlClient): Promise<number> {
    const rows = await rowsOf(
      client,
      `UPDATE ${this.#table} SET failed_at = NULL, error = NULL WHERE failed_at IS NOT NULL RETURNING seq`,
    );
    return rows.length;
  }

  /** Refused now, as at `queue.add`, rather than by the relay. */
  #travelling(options: OutboxAddOptions | undefined): string {
    parseOptions(this.#where, options, TRAVELLING_OPTIONS, addSettings);
    return JSON.stringify(options ?? {}, (name, value: unknown) =>
      name === "at" && typeof value === "string" ? new Date(value).getTime() : value,
    );
  }
}

function checkTarget<Message>(where: string, topic: OutboxTarget<Message>): OutboxTarget<Message>["outlet"] {
  if (isTopic(topic)) return topic.outlet;
  throw new InvalidArgumentError("topic", "a topic of hf.topic(name)", topic, { where });
}

const { key: _key, unique: _unique, wait: _wait, ...TRAVELLING_OPTIONS } = ADD_MANY_OPTIONS;

/** Makes an outbox for a table of a PostgreSQL database. No I/O. */
export function sqlOutbox(options?: OutboxOptions): SqlOutbox {
  return new SqlOutbox(options);
}
