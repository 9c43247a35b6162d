/**
 * What a worker counts: in memory, and every few seconds on the server, in one script whatever was counted. A flush whose answer was lost
 * is sent again as it was, and counts once; a process that is killed loses what it had not flushed.
 */
import type { Runtime, Timer } from "../../base/runtime.ts";
import { bucketOf } from "../../core/observe/histogram.ts";
import { reasonOf } from "../../core/observe/reason.ts";
import { warnUnlessOutage } from "../patience.ts";
import { type Counts, FIELDS, grow, RUN_FIELDS } from "./counts.ts";

/** What is counted of a run. */
export interface CountedRun {
  readonly fence: number;
  readonly failures: unknown;
  readonly crashes: number;
  readonly tookMs: number;
  readonly thrown: unknown;
  readonly record: { readonly addedAt: number; readonly isDelayed: boolean; readonly name?: string | undefined };
}

const FIRST_MS = 1_000;
const FLUSH_MS = 5_000;
/** Of a worker that has nothing to count: that it is still who it was. */
const QUIET_MS = 20 * 60_000;
const MAX_NAME = 40;

export class Tally {
  readonly #runtime: Runtime;
  readonly #send: (flush: number, counts: readonly string[]) => Promise<unknown>;
  #counts: Counts = new Map();
  /** Sent, and not known to have been counted. */
  #sent: readonly string[] | undefined;
  #flushes = 0;
  #timer: Timer | undefined;
  #isFlushSoon = false;
  #flushing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(runtime: Runtime, send: (flush: number, counts: readonly string[]) => Promise<unknown>) {
    this.#runtime = runtime;
    this.#send = send;
    this.#flushIn(FIRST_MS);
  }

  /** @param ending as `Ending`; what is none of a run that came to its end is not counted */
  ended(run: CountedRun, ending: string): void {
    if (ending !== "completed" && ending !== "failed" && ending !== "dead") return;
    this.#flushSoon();
    const kinds = ending === "dead" ? (["failed", "dead"] as const) : ([ending] as const);
    const { name } = run.record;
    for (const kind of kinds) {
      grow(this.#counts, RUN_FIELDS[kind]);
      if (name !== undefined) grow(this.#counts, `${RUN_FIELDS[kind]}:${name.slice(0, MAX_NAME)}`);
    }
    if (ending !== "completed") grow(this.#counts, `${FIELDS.reason}:${reasonOf(run.thrown)}`);
    this.#took(FIELDS.run, FIELDS.runMs, run.tookMs);
    if (run.failures === undefined && run.crashes === 0 && !run.record.isDelayed)
      this.#took(FIELDS.wait, FIELDS.waitMs, Math.max(run.fence / 1_000 - run.record.addedAt, 0));
  }

  /** @param buried those of them that are dead, as they have killed too many workers */
  recovered(jobs: number, buried: number): void {
    this.#flushSoon();
    if (jobs > 0) grow(this.#counts, FIELDS.recovered, jobs);
    if (buried === 0) return;
    grow(this.#counts, FIELDS.dead, buried);
    grow(this.#counts, `${FIELDS.reason}:crashed`, buried);
  }

  /** After what is counted by then is flushed, where a server answers. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#runtime.clearTimeout(this.#timer);
    await this.#flushing;
    // What was sent in vain, and what was counted since.
    await this.#flush();
    if (this.#sent === undefined) await this.#flush();
  }

  #flushSoon(): void {
    if (!this.#isFlushSoon) this.#flushIn(FLUSH_MS);
  }

  #took(bucket: string, sum: string, ms: number): void {
    grow(this.#counts, bucket + String(bucketOf(ms)));
    grow(this.#counts, sum, Math.round(ms));
  }

  #flushIn(ms: number): void {
    if (this.#isClosed) return;
    this.#runtime.clearTimeout(this.#timer);
    this.#isFlushSoon = ms < QUIET_MS;
    this.#timer = this.#runtime.setTimeout(() => {
      this.#flushing = this.#flush().then(() => this.#flushIn(this.#isEmpty ? QUIET_MS : FLUSH_MS));
    }, ms);
    this.#timer.unref();
  }

  get #isEmpty(): boolean {
    return this.#sent === undefined && this.#counts.size === 0;
  }

  async #flush(): Promise<void> {
    if (this.#isEmpty && this.#isClosed) return;
    if (this.#sent === undefined) {
      this.#sent = [...this.#counts].flatMap(([field, by]) => [field, String(by)]);
      this.#counts = new Map();
      this.#flushes += 1;
    }
    try {
      await this.#send(this.#flushes, this.#sent);
      this.#sent = undefined;
    } catch (error) {
      warnUnlessOutage(error);
    }
  }
}
