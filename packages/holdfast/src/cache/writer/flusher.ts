/**
 * Writes to the database what was accepted, in a process that has the function for it. Several may do so at once:
 *
 *     accepted --(linger)--> due --claim--> being written --done----> gone
 *                             ^                |--newer------> due at once: what was accepted meanwhile
 *                             |                |--failed-----> due after a pause, or put aside after `attempts`
 *                             +----------------+--(no answer within `claim`: the process is dead)
 *
 * An id that is being written is nobody else's until that has ended or the claim is over, so its writes reach the database in their order. Only a
 * process that was frozen for longer than `claim` can be late; for that each write has a version.
 */
import { Deferred } from "../../base/deferred.ts";
import { HoldfastError } from "../../base/errors.ts";
import { type Runtime, sleep, within } from "../../base/runtime.ts";
import { attempt, messageOf } from "./attempt.ts";
import type { CacheWrite, CacheWriteEntry, WriterSettings } from "./options.ts";
import type { WriterCache } from "./port.ts";
import type { ClaimedWrite, WriteLog } from "./write-log.ts";

/** Counts of this process. */
export interface CacheWriterStats {
  /** Entries written to the database, and calls that did so. */
  written: number;
  calls: number;
  /** Attempts of entries that have failed. */
  failed: number;
  /** Entries put aside. */
  dead: number;
  /** Entries that another process had taken over when this one was done. */
  late: number;
  /** Writes that the server has evicted. */
  lost: number;
}

/** After so many failures a write is tried by itself, so that it does not make others fail. */
const ALONE_AFTER = 2;
const ALONE_AT_ONCE = 8;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

type Settings = WriterSettings & { readonly write: CacheWrite<unknown> };

export class Flusher {
  readonly #runtime: Runtime;
  readonly #cache: WriterCache;
  readonly #log: WriteLog;
  readonly #settings: Settings;
  readonly #report: (error: unknown) => void;
  readonly #stop = new AbortController();
  /** Fires when not even the call under way has more time. */
  readonly #kill = new AbortController();
  readonly #stats: CacheWriterStats = { written: 0, calls: 0, failed: 0, dead: 0, late: 0, lost: 0 };
  readonly #ended: Promise<void>;
  #rest: AbortController | undefined;
  #sweepAt: number;
  #closing: Promise<void> | undefined;

  constructor(
    runtime: Runtime,
    cache: WriterCache,
    log: WriteLog,
    settings: Settings,
    report: (error: unknown) => void,
  ) {
    this.#runtime = runtime;
    this.#cache = cache;
    this.#log = log;
    this.#settings = settings;
    this.#report = report;
    this.#sweepAt = runtime.now() + settings.sweepMs * runtime.random();
    this.#ended = this.#work();
  }

  stats(): CacheWriterStats {
    return { ...this.#stats };
  }

  /** Something was accepted here: it is looked for after `linger`, and not only at the next look. */
  wake(): void {
    this.#rest?.abort();
  }

  /** Writes what waits, also what still lingers, until nothing is due or `stop` fires. */
  async drain(stop: AbortSignal): Promise<void> {
    while (!stop.aborted && (await this.#round(this.#settings.lingerMs))) {
      // Each round has taken some of it.
    }
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    this.#rest?.abort();
    const { drainTimeoutMs } = this.#settings;
    const enough = new AbortController();
    const last = this.#ended.then(() => (drainTimeoutMs > 0 ? this.drain(enough.signal) : undefined));
    const drained = last.catch((error: unknown) => this.#report(error));
    if ((await within(this.#runtime, drainTimeoutMs, drained)) === "ended") return;
    enough.abort();
    this.#kill.abort();
    await drained;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stop;
    const { pollMs } = this.#settings;
    let pauseMs = FIRST_PAUSE_MS;
    // A factory does no I/O: whoever made it goes on first.
    await sleep(this.#runtime, 0, signal);
    while (!signal.aborted) {
      this.#rest = new AbortController();
      try {
        if (!(await this.#round(0))) await this.#restFor(pollMs, this.#rest);
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        if (error instanceof HoldfastError && error.code === "CLOSED") return;
        if (!signal.aborted) this.#report(error);
        await sleep(this.#runtime, pauseMs * (0.5 + this.#runtime.random() / 2), signal);
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  /** Until the next look, or until what was accepted here meanwhile is due. */
  async #restFor(ms: number, rest: AbortController): Promise<void> {
    await this.#sleepUnref(ms, rest.signal);
    if (rest.signal.aborted) await this.#sleepUnref(Math.min(this.#settings.lingerMs + 1, ms), this.#stop.signal);
  }

  /** What waits is safe on the server: no reason to keep the process alive. */
  async #sleepUnref(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#stop.signal.aborted) return;
    const over = new Deferred<void>();
    const timer = this.#runtime.setTimeout(() => over.resolve(), ms);
    timer.unref();
    const end = (): void => over.resolve();
    signal.addEventListener("abort", end);
    await over.promise;
    signal.removeEventListener("abort", end);
    this.#runtime.clearTimeout(timer);
  }

  /** One look at all logs; returns whether something was there. */
  async #round(aheadMs: number): Promise<boolean> {
    const { logs } = this.#log;
    await this.#log.known();
    if (await logs.isPaused()) return false;
    if (this.#runtime.now() >= this.#sweepAt) {
      this.#sweepAt = this.#runtime.now() + this.#settings.sweepMs;
      await logs.sweep(this.#settings.sweepMs);
    }
    const slots = await logs.slots();
    const { batch, claimMs } = this.#settings;
    let found = false;
    for (let from = 0; from < slots.length && !this.#kill.signal.aborted; from += batch) {
      const chunk = slots.slice(from, from + batch);
      const limit = Math.floor(batch / chunk.length);
      const until = this.#runtime.now() + claimMs;
      const claimed = await Promise.all(chunk.map((slot) => this.#log.claim(slot, limit, claimMs, aheadMs)));
      for (const { lost } of claimed) this.#miss(lost);
      const writes = claimed.flatMap((each) => each.writes);
      if (writes.length === 0) continue;
      await this.#flush(writes, until);
      found = true;
    }
    return found;
  }

  async #flush(writes: readonly ClaimedWrite[], until: number): Promise<void> {
    const tired = writes.filter(({ attempt: tried }) => tried > this.#settings.attempts);
    const left = writes.filter((write) => !tired.includes(write));
    const together = left.filter(({ attempt: tried }) => tried <= ALONE_AFTER);
    const alone = left.filter(({ attempt: tried }) => tried > ALONE_AFTER);
    // It was begun often and never ended: whoever began it has died of it, perhaps.
    await Promise.all(tired.map((write) => this.#bury(write, "begun too often without an end")));
    await this.#write(together);
    for (let at = 0; at < alone.length; at += ALONE_AT_ONCE) {
      const some = alone.slice(at, at + ALONE_AT_ONCE);
      const isInTime = this.#runtime.now() + this.#settings.writeTimeoutMs < until;
      await Promise.all(some.map((write) => (isInTime ? this.#write([write]) : this.#log.settle(write, "release"))));
    }
  }

  async #write(writes: readonly ClaimedWrite[]): Promise<void> {
    if (writes.length === 0) return;
    const entries: CacheWriteEntry<unknown>[] = [];
    const failures = new Map<string, unknown>();
    for (const write of writes) {
      const { id, version, removes, payload } = write;
      try {
        const value = removes ? undefined : this.#cache.decode(this.#cache.key(id), payload);
        entries.push({ id, value, version, attempt: write.attempt });
      } catch (error) {
        failures.set(id, error);
      }
    }
    const { write, writeTimeoutMs: timeoutMs } = this.#settings;
    if (entries.length > 0) {
      this.#stats.calls += 1;
      const failed = await attempt(this.#runtime, write, entries, { timeoutMs, stop: this.#kill.signal });
      for (const [id, error] of failed) failures.set(id, error);
    }
    for (const error of new Set(failures.values())) this.#report(error);
    const settled = await Promise.allSettled(writes.map((each) => this.#settle(each, failures)));
    // The claims end by themselves, and what is in the database is written once more.
    for (const outcome of settled) if (outcome.status === "rejected") throw outcome.reason;
  }

  async #settle(write: ClaimedWrite, failures: ReadonlyMap<string, unknown>): Promise<void> {
    if (failures.has(write.id)) {
      this.#stats.failed += 1;
      const error = failures.get(write.id);
      if (write.attempt >= this.#settings.attempts) return this.#bury(write, messageOf(error));
      await this.#log.settle(write, "retry", this.#backoffMs(write.attempt));
      return;
    }
    this.#stats.written += 1;
    if ((await this.#log.settle(write, "done")) === "stale") this.#stats.late += 1;
  }

  async #bury(write: ClaimedWrite, reason: string): Promise<void> {
    if ((await this.#log.bury(write, reason)) !== "ok") return;
    this.#stats.dead += 1;
    this.#report(
      new Error(`the write of ${JSON.stringify(write.id)} was put aside after ${write.attempt} attempts: ${reason}`),
    );
  }

  #miss(lost: readonly string[]): void {
    this.#stats.lost += lost.length;
    for (const id of lost)
      this.#report(
        new Error(
          `the write of ${JSON.stringify(id)} is lost: the server has evicted it; use maxmemory-policy noeviction or volatile-*`,
        ),
      );
  }

  #backoffMs(attempts: number): number {
    const { backoffMs, maxBackoffMs } = this.#settings;
    return Math.min(backoffMs * 2 ** (attempts - 1), maxBackoffMs) * (0.5 + this.#runtime.random() / 2);
  }
}
