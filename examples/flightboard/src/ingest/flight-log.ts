/**
 * The way from ingest to worker: a queue of batches, a cursor that says how far ingest has come, and a mark that says how far the worker
 * has come.
 *
 * Why no flight is lost or counted twice, whatever is killed when:
 * - A batch is added before the cursor moves over it. A leader that dies in between leaves a batch that its successor adds again, perhaps
 *   with other bounds: so the worker leaves out what is below its mark. The flights are numbered, so what is left is exactly what is new.
 * - The batches are one group of the queue, in strict order: one at a time over all workers, and one that failed, or whose worker died, is
 *   again the first. So a batch begins at the mark, or below it, and never behind it.
 * - The mark moves in the step that acknowledges the job (`job.commit`): both happened or neither, and only if the job is still this run's.
 *   A worker that was frozen and wakes up is refused. What it applied meanwhile can be repeated, see `worker/apply.ts`.
 * - The cursor moves in a transaction that watches it, and it holds the fence of the leader that wrote it. A new leader first claims it with
 *   its higher fence; from then on the old one, frozen for a minute and alive again, finds a fence above its own and stands down.
 *
 * At most `MAX_BATCHES` wait: a leader that far ahead gets `full` and waits for the worker.
 */
import {
  type Holdfast,
  HoldfastError,
  type Queue,
  type QueueOptions,
  type QueueWorker,
  type Reply,
  type Transaction,
} from "holdfast";
import type { Flight } from "../data/flights.ts";

/** Batches that may wait for the worker. */
export const MAX_BATCHES = 5;

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
const GROUP = "in order";
/** A batch can be applied, or the server is away: it is never given up. */
const OPTIONS: QueueOptions<Batch, undefined> = {
  attempts: 1_000,
  backoff: { type: "fixed", delay: "200ms" },
  maxCrashes: 1_000,
  maxWaiting: MAX_BATCHES,
};
/** A dead worker is followed after this time at the latest. */
const LEASE = "2s";

export class FlightLog {
  readonly queue: Queue<Batch, undefined>;
  readonly #hf: Holdfast;
  readonly #cursor: string;
  readonly #applied: string;

  constructor(hf: Holdfast) {
    this.#hf = hf;
    this.queue = hf.queue("flights", OPTIONS);
    this.#cursor = hf.key("flight-log", "cursor");
    this.#applied = this.queue.key("applied");
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

  /** @param wait for so long where the worker is behind, before the answer is `full` */
  async append(batch: Batch, leader: Leader, wait: `${number}ms` = "0ms"): Promise<AppendResult> {
    const refused = refusal(await this.cursor(), batch, leader);
    if (refused !== undefined) return refused;
    const from = batch.to - batch.flights.length;
    const { status } = await this.queue.add(batch, { id: `${from}-${batch.to}`, group: GROUP, wait });
    if (status === "full") return { status: "full" };
    return this.#transaction([this.#cursor], async (tx) => {
      const cursor = parseCursor(await tx.send("GET", this.#cursor));
      const late = refusal(cursor, batch, leader);
      if (late !== undefined) return late;
      const at = batch.flights.at(-1)?.at ?? cursor.at;
      tx.queue("SET", this.#cursor, JSON.stringify({ ...cursor, ...leader, position: batch.to, at }));
      return { status: "appended" };
    });
  }

  /** Runs until it is closed. `apply` is given what is new of each batch, in order; of one that it was at when its worker died, again. */
  async work(apply: (batch: Batch) => Promise<void>): Promise<QueueWorker> {
    await this.queue.groups.set(GROUP, { order: "strict" });
    return this.queue.work(
      async (job) => {
        const applied = await this.applied();
        const { flights, to } = job.payload;
        const fresh = flights.filter(({ index }) => index >= applied);
        if (fresh.length === 0) return undefined;
        await apply({ flights: fresh, to });
        await job.commit((tx) => tx.queue("SET", job.key("applied"), String(to)));
        return undefined;
      },
      { concurrency: 1, lease: LEASE, poll: "1s", drain: "1s" },
    );
  }

  /** Batches that are not applied. */
  async depth(): Promise<number> {
    const { waiting, delayed, active, dead } = await this.queue.counts();
    return waiting + delayed + active + dead;
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

function refusal(cursor: Cursor, { flights, to }: Batch, leader: Leader): AppendResult | undefined {
  if (cursor.fence > leader.fence) return { status: "deposed", cursor };
  return cursor.position === to - flights.length ? undefined : { status: "moved", position: cursor.position };
}

function parseCursor(reply: Reply): Cursor {
  return reply === null ? START : (JSON.parse((reply as Buffer).toString()) as Cursor);
}
