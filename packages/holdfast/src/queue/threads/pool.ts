/**
 * Threads that run a module's handler, one job at a time each. The main loop stays free, so that leases are renewed whatever a handler does.
 * A job's signal works across. Where it aborts, the handler has a grace to end in; then its thread is ended, and another one takes its place.
 */
import { Worker } from "node:worker_threads";
import { Deferred } from "../../base/deferred.ts";
import { AbortedError } from "../../base/errors.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";
import { Discard, RetryAfter, Snooze } from "../failure.ts";
import type { QueueJob } from "../job.ts";
import { ENTRY } from "./entry.ts";

/** What a handler in a thread is given: what can be copied, and the signal. */
export type QueueThreadJob<Payload> = Pick<
  QueueJob<Payload>,
  "id" | "payload" | "name" | "attempt" | "crashes" | "fence" | "addedAt" | "scheduledFor" | "trace" | "signal"
>;

/** The default export of a module that is run in threads. */
export type QueueThreadHandler<Payload, Result = unknown> = (job: QueueThreadJob<Payload>) => Result | Promise<Result>;

interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly delayMs: number | undefined;
}

interface Answer {
  readonly value?: unknown;
  readonly thrown?: Thrown;
}

interface Thread {
  readonly worker: Worker;
  /** Of the run that it is at. */
  answer: Deferred<unknown>;
}

export class ThreadPool {
  readonly #runtime: Runtime;
  readonly #url: string;
  readonly #most: number;
  readonly #graceMs: number;
  readonly #threads = new Set<Thread>();
  readonly #idle: Thread[] = [];
  readonly #waiting: ((thread: Thread) => void)[] = [];
  #isClosed = false;

  constructor(runtime: Runtime, url: URL, most: number, graceMs: number) {
    this.#runtime = runtime;
    this.#url = url.href;
    this.#most = most;
    this.#graceMs = graceMs;
  }

  async run(job: QueueThreadJob<unknown>): Promise<unknown> {
    const { id, payload, name, attempt, crashes, fence, addedAt, scheduledFor, trace, signal } = job;
    const thread = await this.#take();
    if (signal.aborted) {
      this.#release(thread);
      throw signal.reason;
    }
    const answer = new Deferred<unknown>();
    thread.answer = answer;
    let timer: Timer | undefined;
    const stop = () => {
      send(thread, { abort: String((signal.reason as Error | undefined)?.message) });
      timer = this.#runtime.setTimeout(() => {
        answer.reject(signal.reason);
        void this.#end(thread);
      }, this.#graceMs);
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      send(thread, { job: { id, payload, name, attempt, crashes, fence, addedAt, scheduledFor, trace } });
      return await answer.promise;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#runtime.clearTimeout(timer);
      this.#release(thread);
    }
  }

  /** Ends all threads, whatever they do. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)));
  }

  #take(): Promise<Thread> | Thread {
    if (this.#isClosed) throw new AbortedError("the worker is closed", { op: "queue.work" });
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#threads.size < this.#most) return this.#start();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(thread: Thread): void {
    if (!this.#threads.has(thread)) return;
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(thread);
    else next(thread);
  }

  #start(): Thread {
    const worker = new Worker(ENTRY, { eval: true, workerData: { url: this.#url } });
    const thread: Thread = { worker, answer: new Deferred() };
    // Where it has no run nobody waits for its end.
    thread.answer.promise.catch(() => undefined);
    this.#threads.add(thread);
    worker.on("message", ({ value, thrown }: Answer) => {
      if (thrown === undefined) thread.answer.resolve(value);
      else thread.answer.reject(errorOf(thrown));
    });
    worker.on("error", (error) => {
      thread.answer.reject(error);
      void this.#end(thread);
    });
    worker.on("exit", (code) => {
      thread.answer.reject(new Error(`the thread of the handler ended with code ${code}`));
      void this.#end(thread);
    });
    return thread;
  }

  async #end(thread: Thread): Promise<void> {
    if (!this.#threads.delete(thread)) return;
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    const next = this.#isClosed ? undefined : this.#waiting.shift();
    next?.(this.#start());
    await thread.worker.terminate();
  }
}

function send({ worker }: Thread, message: object): void {
  // oxlint-disable-next-line require-post-message-target-origin -- it is a thread, not a window
  worker.postMessage(message);
}

/** What a handler threw, as what it means to a queue. */
function errorOf({ name, message, stack, delayMs = 0 }: Thrown): Error {
  if (name === "Discard") return new Discard(message);
  if (name === "RetryAfter") return new RetryAfter(delayMs, message);
  if (name === "Snooze") return new Snooze(delayMs);
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
