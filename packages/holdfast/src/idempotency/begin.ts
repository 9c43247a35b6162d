/**
 * One caller, from its first question until the key is its to run, or needs no run, or its waiting is over.
 *
 * All questions carry one token, so a run that began though the answer was lost is found by the next. Waiters join the wake-ups of the run they
 * wait for; a wake-up is only a hint, so a timer is armed for the end of its lease.
 */
import { onAbort } from "../base/abort.ts";
import { ClosedError, HoldfastError, isOutage, UnavailableError } from "../base/errors.ts";
import { sleep } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import { Patience } from "../core/lease/patience.ts";
import { usableMs } from "../core/lease/timed-lease.ts";
import type { Waiter } from "../core/wait/wakeups.ts";
import type { BeginResult } from "./scripts.gen.ts";
import type { Granted, IdempotencyStore, Runner } from "./store.ts";

export interface BeginTerms {
  readonly where: string;
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** On the clock of the runtime, from before the request that was granted. */
export type Begun = Granted & { readonly grantedAt: number };
type Answer = Begun | Exclude<BeginResult, Granted>;

/** When to look again at the latest, should a wake-up be lost. */
const MAX_PAUSE_MS = 30_000;
/** Between two questions while no server answers, before jitter. */
const OUTAGE_PAUSE_MS = 100;
const OP = "idempotency.run";

/** @throws AbortedError, ClosedError, or the outage in which the time ran out; nothing is left behind then */
export async function beginRun(
  core: Core,
  store: IdempotencyStore,
  runner: Runner,
  terms: BeginTerms,
): Promise<Answer> {
  const begin = new Begin(core, store, runner, terms);
  try {
    return await begin.answer();
  } catch (error) {
    throw begin.takeBack(error);
  }
}

class Begin {
  readonly #core: Core;
  readonly #store: IdempotencyStore;
  readonly #runner: Runner;
  readonly #terms: BeginTerms;
  readonly #patience: Patience;
  #waiter: Waiter | undefined;
  /** The token of the run whose end the waiter hears of. */
  #awaited: string | undefined;
  /** A question that nobody has heard the answer to. */
  #isOpen = false;

  constructor(core: Core, store: IdempotencyStore, runner: Runner, terms: BeginTerms) {
    this.#core = core;
    this.#store = store;
    this.#runner = runner;
    this.#terms = terms;
    this.#patience = new Patience({
      runtime: core.driver.runtime,
      name: String(runner.key),
      label: `${terms.where}: ${JSON.stringify(runner.key)}`,
      op: OP,
      waitMs: terms.waitMs,
      signal: terms.signal,
      isClosed: () => core.isClosing,
      inVain: () => `still being run by another after ${terms.waitMs} ms`,
    });
  }

  async answer(): Promise<Answer> {
    const patience = this.#patience;
    try {
      for (;;) {
        if (patience.isCalledOff) throw patience.error();
        const answer = await this.#ask();
        if (answer !== undefined && answer.status !== "busy") return answer;
        if (answer !== undefined && patience.leftMs === 0) return answer;
        await this.#pause(answer);
      }
    } finally {
      this.#waiter?.leave();
    }
  }

  /** Returns what the caller is told: the function was not called. */
  takeBack(error: unknown): unknown {
    if (this.#isOpen) void this.#store.abandon(this.#runner);
    if (!(error instanceof HoldfastError) || error.code !== "OUTCOME_UNKNOWN") return error;
    const message = `${this.#terms.where}: the server did not answer, and the function was not called`;
    return new UnavailableError(message, { op: OP, key: String(this.#runner.key), cause: error });
  }

  /** Undefined where no server answered, for there is time for another question. */
  async #ask(): Promise<Answer | undefined> {
    const { runtime } = this.#core.driver;
    const grantedAt = runtime.now();
    this.#isOpen = true;
    try {
      const answer = await this.#unlessAborted(this.#store.begin(this.#runner, this.#waiter !== undefined));
      if (answer.status !== "run") {
        this.#isOpen = false;
        return answer;
      }
      // An answer that was on its way for the whole lease grants nothing.
      if (runtime.now() < grantedAt + usableMs(this.#terms.leaseMs)) return { ...answer, grantedAt };
      return undefined;
    } catch (error) {
      if (this.#patience.isCalledOff && !(error instanceof ClosedError)) throw this.#patience.error();
      if (!isOutage(error) || this.#patience.leftMs === 0) throw error;
      return undefined;
    }
  }

  async #pause(busy: Extract<BeginResult, { status: "busy" }> | undefined): Promise<void> {
    const { leftMs, signal } = this.#patience;
    if (busy !== undefined && busy.runner === this.#awaited && this.#waiter !== undefined)
      return this.#waiter.next(Math.min(busy.leftMs + 1, MAX_PAUSE_MS, leftMs), signal);
    if (busy !== undefined && (await this.#join(busy.runner))) return undefined;
    const { runtime } = this.#core.driver;
    return sleep(runtime, Math.min(OUTAGE_PAUSE_MS * (0.5 + runtime.random()), leftMs), signal);
  }

  /** Live before the question that asks to be woken, else the wake-up could be missed. */
  async #join(runner: string): Promise<boolean> {
    this.#waiter?.leave();
    this.#waiter = undefined;
    const joining = this.#core.wakeups.join(runner);
    try {
      this.#waiter = await this.#patience.within(joining);
      this.#awaited = runner;
      return true;
    } catch (error) {
      joining.then(
        (late) => late.leave(),
        () => undefined,
      );
      if (this.#patience.isCalledOff) throw this.#patience.error();
      if (isOutage(error) || this.#patience.leftMs === 0) return false;
      throw error;
    }
  }

  #unlessAborted<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#patience;
    if (signal === undefined) return work;
    return new Promise<T>((resolve, reject) => {
      const unfollow = onAbort(signal, () => reject(this.#patience.error()));
      void work.then(resolve, reject).finally(unfollow);
    });
  }
}
