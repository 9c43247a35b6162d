/**
 * Threads that run a module's handler, one call at a time each, so that the main loop stays free whatever a handler does.
 * A call's signal works across. Where it aborts, the handler has a grace to end in; then its thread is ended, and another one takes its place.
 */
import { Worker } from "node:worker_threads";
import { onAbort } from "../../base/abort.ts";
import { Deferred } from "../../base/deferred.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";
import { ENTRY } from "./entry.ts";

/** What a handler in a thread threw: what of it can be copied and means something to somebody. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly delayMs: number | undefined;
}

export interface ThreadTerms {
  readonly runtime: Runtime;
  /** Of the module whose default export is the handler. */
  readonly url: URL;
  readonly threads: number;
  /** For a handler whose call was called off. */
  readonly graceMs: number;
  /** What calls reject with once the pool is closed. */
  readonly closed: () => Error;
  /** What a thrown error means to whoever calls. */
  readonly errorOf: (thrown: Thrown) => Error;
}

interface Answer {
  readonly value?: unknown;
  readonly thrown?: Thrown;
}

interface Thread {
  readonly worker: Worker;
  /** Of the call that it is at. */
  answer: Deferred<unknown>;
}

/** The handler as a module to run in threads; a function is none. @throws InvalidArgumentError for a URL that no thread can load */
export function isThreadModule(handler: unknown): handler is URL {
  if (!(handler instanceof URL)) return false;
  if (handler.protocol === "file:" || handler.protocol === "data:") return true;
  throw new InvalidArgumentError("handler", 'a file: URL, as `new URL("./resize.js", import.meta.url)` makes', handler);
}

export class ThreadPool {
  readonly #terms: ThreadTerms;
  readonly #threads = new Set<Thread>();
  readonly #idle: Thread[] = [];
  readonly #waiting = new Set<Deferred<Thread>>();
  #isClosed = false;

  constructor(terms: ThreadTerms) {
    this.#terms = terms;
  }

  /** Calls the handler with copies of `args`, and the signal as a field of the last one. */
  async run(args: readonly [...unknown[], object], signal: AbortSignal): Promise<unknown> {
    const { runtime, graceMs } = this.#terms;
    const thread = await this.#take(signal);
    if (signal.aborted) {
      this.#release(thread);
      throw signal.reason;
    }
    const answer = new Deferred<unknown>();
    thread.answer = answer;
    let timer: Timer | undefined;
    const stop = () => {
      send(thread, { abort: String((signal.reason as Error | undefined)?.message) });
      timer = runtime.setTimeout(() => {
        answer.reject(signal.reason);
        void this.#end(thread);
      }, graceMs);
    };
    const unfollow = onAbort(signal, stop);
    try {
      send(thread, { args });
      return await answer.promise;
    } finally {
      unfollow();
      runtime.clearTimeout(timer);
      this.#release(thread);
    }
  }

  /** Ends all threads, whatever they do, and the calls that wait for one. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const waiter of this.#waiting) waiter.reject(this.#terms.closed());
    this.#waiting.clear();
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)));
  }

  #take(signal: AbortSignal): Promise<Thread> | Thread {
    if (this.#isClosed) throw this.#terms.closed();
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#threads.size < this.#terms.threads) return this.#start();
    return this.#wait(signal);
  }

  /** Resolves with the next thread that is free; rejects where the call is called off before. */
  async #wait(signal: AbortSignal): Promise<Thread> {
    signal.throwIfAborted();
    const waiter = new Deferred<Thread>();
    this.#waiting.add(waiter);
    const unfollow = onAbort(signal, (reason) => {
      if (this.#waiting.delete(waiter)) waiter.reject(reason);
    });
    try {
      return await waiter.promise;
    } finally {
      unfollow();
    }
  }

  #nextWaiter(): Deferred<Thread> | undefined {
    const [next] = this.#waiting;
    if (next !== undefined) this.#waiting.delete(next);
    return next;
  }

  #release(thread: Thread): void {
    if (!this.#threads.has(thread)) return;
    const next = this.#nextWaiter();
    if (next === undefined) this.#idle.push(thread);
    else next.resolve(thread);
  }

  #start(): Thread {
    const worker = new Worker(ENTRY, { eval: true, workerData: { url: this.#terms.url.href } });
    const thread: Thread = { worker, answer: new Deferred() };
    // Where it has no call nobody waits for its end.
    thread.answer.promise.catch(() => undefined);
    this.#threads.add(thread);
    worker.on("message", ({ value, thrown }: Answer) => {
      if (thrown === undefined) thread.answer.resolve(value);
      else thread.answer.reject(this.#terms.errorOf(thrown));
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
    const next = this.#nextWaiter();
    next?.resolve(this.#start());
    await thread.worker.terminate();
  }
}

function send({ worker }: Thread, message: object): void {
  // oxlint-disable-next-line require-post-message-target-origin -- it is a thread, not a window
  worker.postMessage(message);
}

/** A thrown error as an error of this thread. */
export function rebuilt({ name, message, stack }: Thrown): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
