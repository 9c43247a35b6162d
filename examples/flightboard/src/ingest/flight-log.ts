/**
 * The way from ingest to worker: a stream of batches, a cursor that says how far ingest has come, and a mark that says
 * how far the worker has come. The three keys share a slot, so each step below is one optimistic transaction.
 *
 * Why no flight is lost or sent twice, whatever is killed when:
 * - A batch enters the stream in the same transaction that moves the cursor. Either both happened or neither.
 * - The transaction watches the cursor. If anybody moved it since it was read, nothing is written and it is read again.
 * - An entry's id is the index behind its last flight, and a stream refuses ids that do not rise: the same batch cannot
 *   stand in it twice even if everything above were wrong.
 * - The cursor also holds the fence of the leader that wrote it. A new leader first claims it with its higher fence;
 *   from then on the old one, frozen for a minute and alive again, finds a fence above its own and stands down.
 * - When an answer is lost the caller just repeats: the cursor says whether the batch is in.
 *
 * The stream holds at most `MAX_AHEAD` flights: a leader that far ahead gets `full` and waits for the worker.
 */
import { type Holdfast, HoldfastError, type Reply, type Transaction } from "holdfast";
import type { Flight } from "../data/flights.ts";

/** Flights between the worker's mark and the leader's cursor. */
export const MAX_AHEAD = 500;

export interface Cursor {
  /** Index of the next flight. */
  readonly position: number;
  readonly fence: number;
  /** How many leaders there have been. */
  readonly term: number;
  /** Data time of the last flight sent, milliseconds since 1970; 0 before the first. */
  readonly at: number;
  /** Name of the process that wrote it. */
  readonly by: string;
}

export interface Batch {
  readonly flights: readonly Flight[];
  /** Index behind the last flight. */
  readonly to: number;
}

/** Who writes: a process and the fence of its lock. */
export type Leader = Pick<Cursor, "fence" | "by">;

export type AppendResult =
  | { readonly status: "appended" }
  /** The cursor is not where the batch begins; it was moved by an earlier append whose answer was lost. */
  | { readonly status: "moved"; readonly position: number }
  | { readonly status: "full" }
  /** A newer leader has claimed the cursor. */
  | { readonly status: "deposed"; readonly cursor: Cursor };

const START: Cursor = { position: 0, fence: 0, term: 0, at: 0, by: "nobody" };
/** Rivals for a key are one leader and its successor, so a conflict is rare and the second attempt settles it. */
const ATTEMPTS = 20;

export class FlightLog {
  readonly #hf: Holdfast;
  readonly #cursor: string;
  readonly #stream: string;
  readonly #applied: string;

  constructor(hf: Holdfast) {
    this.#hf = hf;
    this.#cursor = hf.key("flight-log", "cursor");
    this.#stream = hf.key("flight-log", "stream");
    this.#applied = hf.key("flight-log", "applied");
  }

  async cursor(): Promise<Cursor> {
    return parseCursor(await this.#get(this.#cursor));
  }

  /** Flights before this index are in every derived number. */
  async applied(): Promise<number> {
    return Number((await this.#get(this.#applied)) ?? 0);
  }

  /** A new leader's first act. */
  claim(leader: Leader): Promise<{ status: "claimed"; position: number } | { status: "deposed"; cursor: Cursor }> {
    return this.#transaction([this.#cursor], async (tx) => {
      const cursor = parseCursor(await tx.send("GET", this.#cursor));
      if (cursor.fence > leader.fence) return { status: "deposed", cursor };
      if (cursor.fence === leader.fence) return { status: "claimed", position: cursor.position };
      tx.queue("SET", this.#cursor, JSON.stringify({ ...cursor, ...leader, term: cursor.term + 1 }));
      return { status: "claimed", position: cursor.position };
    });
  }

  append(batch: Batch, leader: Leader): Promise<AppendResult> {
    const from = batch.to - batch.flights.length;
    return this.#transaction([this.#cursor], async (tx) => {
      const cursor = parseCursor(await tx.send("GET", this.#cursor));
      if (cursor.fence > leader.fence) return { status: "deposed", cursor };
      if (cursor.position !== from) return { status: "moved", position: cursor.position };
      const applied = Number((await tx.send("GET", this.#applied)) ?? 0);
      if (batch.to - applied > MAX_AHEAD) return { status: "full" };
      const at = batch.flights.at(-1)?.at ?? cursor.at;
      tx.queue("SET", this.#cursor, JSON.stringify({ ...cursor, ...leader, position: batch.to, at }));
      tx.queue("XADD", this.#stream, `${batch.to}-0`, "flights", JSON.stringify(batch.flights));
      return { status: "appended" };
    });
  }

  /** The batch after `applied`, waiting up to `blockMs` for it; undefined when none came. */
  async next(applied: number, blockMs: number, signal: AbortSignal): Promise<Batch | undefined> {
    const reply = await this.#hf.driver.blocking(
      ["XREAD", "COUNT", "1", "BLOCK", String(blockMs), "STREAMS", this.#stream, `${applied}-0`],
      blockMs,
      { op: "flightLog.next", class: "read", signal },
      this.#stream,
    );
    return parseBatch(reply);
  }

  /** Moves the worker's mark over a batch and drops it from the stream. Repeating it changes nothing. */
  commit(batch: Batch): Promise<void> {
    return this.#transaction([this.#applied], async (tx) => {
      const applied = Number((await tx.send("GET", this.#applied)) ?? 0);
      if (applied >= batch.to) return;
      tx.queue("SET", this.#applied, String(batch.to));
      tx.queue("XTRIM", this.#stream, "MINID", `${batch.to}-1`);
    });
  }

  /** Batches that are in the stream now. */
  async depth(): Promise<number> {
    return Number(
      await this.#hf.driver.send(["XLEN", this.#stream], { op: "flightLog.depth", class: "read" }, this.#stream),
    );
  }

  async #transaction<T>(keys: string[], body: (tx: Transaction) => Promise<T>): Promise<T> {
    const done = await this.#hf.transaction(keys, body, { attempts: ATTEMPTS });
    if (done.status === "ok") return done.value;
    throw new HoldfastError("CONFLICT", `the flight log was fought over ${done.attempts} times`, { retryable: true });
  }

  #get(key: string): Promise<Reply> {
    return this.#hf.driver.send(["GET", key], { op: "flightLog.read", class: "read" }, key);
  }
}

function parseCursor(reply: Reply): Cursor {
  return reply === null ? START : (JSON.parse((reply as Buffer).toString()) as Cursor);
}

/** XREAD answers with a map of stream to entries, which arrives as `[stream, [[id, [field, value]]]]`. */
function parseBatch(reply: Reply): Batch | undefined {
  const [, entries] = (reply ?? []) as [Buffer, [Buffer, [Buffer, Buffer]][]] | [];
  const [id, [, flights] = []] = entries?.[0] ?? [];
  if (id === undefined || flights === undefined) return undefined;
  return { to: Number.parseInt(id.toString(), 10), flights: JSON.parse(flights.toString()) as Flight[] };
}
