/**
 * The relay of an outbox. Each round is one SQL transaction: lock rows, add their jobs, delete the rows. A relay that dies after it has
 * added leaves the rows, and the next one adds them again under the same ids and unique keys: `duplicate`, and they are deleted.
 */
import { inform } from "../../base/inform.ts";
import { HoldfastError } from "../../base/errors.ts";
import { sleep, systemRuntime } from "../../base/runtime.ts";
import type { QueueAddOptions } from "../add-options.ts";
import { Pause } from "../../core/retry/pause.ts";
import { listenTo } from "./listen.ts";
import type { OutboxRelayStats, RelaySettings } from "./relay-options.ts";
import { inTransaction, type Row, rowsOf, type SqlClient } from "./sql.ts";

/** A relay that is frozen holds its rows no longer: PostgreSQL ends its session. */
const MAX_FROZEN_MS = 60_000;
const QUEUE = "queue ";
const TOPIC = "topic ";

interface RelayPlace {
  /** As messages name the outbox. */
  readonly where: string;
  readonly table: string;
  readonly channel: string;
}

/** What has become of a row. */
type Fate = { readonly sent: "ok" | "duplicate" } | { readonly refused: string } | { readonly error: unknown };

/** What a round is followed by: one more, at once; a rest; one for those that are not stuck; a pause, as after a failure. */
type Next = "more" | "rest" | "others" | "pause";

/** A relay that runs until it is closed. */
export class OutboxRelay implements AsyncDisposable {
  readonly #terms: RelaySettings & RelayPlace;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #stats = { sent: 0, duplicates: 0, failed: 0 };
  /** Queues and topics that took nothing now, with a whole batch in front: the next round is for the others, the one behind it for all. */
  readonly #stuck = new Set<string>();
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
        const next = await this.#round();
        if (next === "pause") await pause.next();
        if (next === "pause" || next === "others") continue;
        this.#isHungry ||= next === "more";
        pause = new Pause(systemRuntime, signal);
        if (!this.#isHungry) await this.#restFor(this.#terms.pollMs);
      } catch (error) {
        if (!signal.aborted) this.#report(error);
        // The queues' handle was closed: no round will ever succeed.
        if (isClosed(error)) return this.#stop.abort();
        await pause.next();
      }
    }
  }

  async #restFor(ms: number): Promise<void> {
    this.#rest = new AbortController();
    if (!this.#isHungry && !this.#stop.signal.aborted) await sleep(systemRuntime, ms, this.#rest.signal);
    this.#rest = undefined;
  }

  async #round(): Promise<Next> {
    const { database, batch } = this.#terms;
    const { rows, fates } = await inTransaction(database, async (tx) => {
      const locked = (await this.#isMyTurn(tx)) ? await this.#lock(tx) : [];
      const ends = await this.#sendAll(locked);
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
    const hasMore = rows.length === batch;
    const failure = fates.find((fate) => "error" in fate);
    if (failure !== undefined && hasMore && !isClosed(failure.error)) {
      this.#report(failure.error);
      for (const [at, row] of rows.entries()) if ("error" in fates[at]!) this.#stuck.add(targetOf(row));
      return "others";
    }
    const wasForOthers = this.#stuck.size > 0;
    this.#stuck.clear();
    if (failure !== undefined) throw failure.error;
    if (wasForOthers) return hasMore ? "others" : "pause";
    return hasMore ? "more" : "rest";
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
    const { table, queues, topics, batch, isOrdered } = this.#terms;
    const names = (of: ReadonlyMap<string, unknown>, kind: string): string[] =>
      [...of.keys()].filter((name) => !this.#stuck.has(kind + name));
    return rowsOf(
      tx,
      `SELECT seq::text AS seq, id, queue, topic, encode(payload, 'base64') AS payload, options FROM ${table} ` +
        "WHERE (queue = ANY($1::text[]) OR topic = ANY($3::text[])) AND failed_at IS NULL " +
        `ORDER BY ${table}.seq LIMIT $2::int FOR UPDATE${isOrdered ? "" : " SKIP LOCKED"}`,
      [names(queues, QUEUE), batch, names(topics, TOPIC)],
    );
  }

  /** All in the same tick, so that they share scripts, in their order. */
  async #sendAll(rows: readonly Row[]): Promise<Fate[]> {
    const byTopic = new Map<string, Row[]>();
    for (const row of rows) {
      const topic = topicOf(row);
      if (topic !== undefined) byTopic.set(topic, [...(byTopic.get(topic) ?? []), row]);
    }
    const fates = new Map<Row, Fate>();
    const sending = [...byTopic].map(([topic, some]) => this.#publish(topic, some, fates));
    const adding = rows.map(async (row) => {
      if (topicOf(row) === undefined) fates.set(row, await this.#send(row));
    });
    await Promise.all([...sending, ...adding]);
    return rows.map((row) => fates.get(row)!);
  }

  async #publish(name: string, rows: readonly Row[], fates: Map<Row, Fate>): Promise<void> {
    const sound = rows.filter((row) => {
      const refused = whyUnsound(row);
      if (refused !== undefined) fates.set(row, { refused });
      return refused === undefined;
    });
    const messages = sound.map((row) => ({
      id: String(row["id"]),
      payload: Buffer.from(String(row["payload"]), "base64"),
      options: JSON.parse(String(row["options"])) as object,
    }));
    const ends = await this.#terms.topics.get(name)!.publish(messages);
    for (const [at, { status, error }] of ends.entries()) fates.set(sound[at]!, this.#fateOf(name, status, error));
  }

  #fateOf(topic: string, status: string, error: Error | undefined): Fate {
    if (status === "ok" || status === "duplicate") return { sent: status };
    if (status === "refused") return { refused: error!.message };
    const reason = status === "full" ? "it is full" : "earlier messages are still waiting";
    return { error: error ?? new Error(`${this.#terms.where}: topic "${topic}" takes no message now: ${reason}`) };
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

function isClosed(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === "CLOSED";
}

/** Where it goes: a queue and a topic may have one name. */
function targetOf(row: Row): string {
  const topic = topicOf(row);
  return topic === undefined ? QUEUE + String(row["queue"]) : TOPIC + topic;
}

function topicOf(row: Row): string | undefined {
  const topic = row["topic"];
  return typeof topic === "string" ? topic : undefined;
}

/** Somebody else has written it. */
function whyUnsound(row: Row): string | undefined {
  try {
    const options: unknown = JSON.parse(String(row["options"]));
    return typeof options === "object" && options !== null ? undefined : "its options are no object";
  } catch (error) {
    return String(error);
  }
}

/** A Date has become a text on its way, which no duration looks like. */
function optionsFrom(text: string): QueueAddOptions {
  const options = JSON.parse(text) as QueueAddOptions;
  const { expires } = options;
  return typeof expires === "string" && expires.includes("T") ? { ...options, expires: new Date(expires) } : options;
}
