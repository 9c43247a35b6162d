/** The runs of one handle: each under a lease, none inside itself, ended with the handle. */
import { Door } from "../base/door.ts";
import { ClosedError, HoldfastError, isOutage, LeaseLostError, OutcomeUnknownError } from "../base/errors.ts";
import { sleep, within } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { TimedLease } from "../core/lease/timed-lease.ts";
import type { Begun } from "./begin.ts";
import type { Ending, Granted, IdempotencyStore, Runner } from "./store.ts";
import type { FinishResult } from "./scripts.gen.ts";

/** What a function is called with. */
export interface IdempotencyRun {
  readonly key: Id;
  /** Rises with each run of the key (it is at least the server's time in microseconds). What the function changes can refuse a lower one. */
  readonly fence: number;
  /** 1, or more where earlier runs failed, or died and may have had their effect. */
  readonly attempt: number;
  /** Aborts when another may run, after `maxHold`, and when the handle is closed. */
  readonly signal: AbortSignal;
}

export interface RunTerms {
  /** The instance as messages name it. */
  readonly where: string;
  readonly leaseMs: number;
  readonly maxHoldMs: number;
}

/** So long a handle that closes waits for a run, to store its outcome. */
const MAX_CLOSE_MS = 10_000;
/** Between two attempts to store an outcome, before jitter. */
const PAUSE_MS = 100;

export class IdempotencyRuns {
  readonly #core: Core;
  /** Those under way, by what they run. */
  readonly #doors = new Map<Door, string>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** @throws HoldfastError if the caller is in a run of the very key that it wants to run */
  refuseNested(entry: string, where: string, key: Id): void {
    for (const [door, running] of this.#doors) {
      if (running !== entry || !door.isCaller) continue;
      const message = `${where}: ${JSON.stringify(key)} is being run by this very code, which would wait for itself`;
      throw new HoldfastError("CONFLICT", message, { op: "idempotency.run", key: String(key) });
    }
  }

  /**
   * Calls `fn` under the run's lease, and stores what `conclude` makes of its end.
   * @returns what the server says of the ending
   */
  async execute<R>(
    store: IdempotencyStore,
    runner: Runner,
    granted: Begun,
    terms: RunTerms,
    fn: (run: IdempotencyRun) => R | Promise<R>,
    conclude: (end: { readonly value: R } | { readonly error: unknown }) => Ending,
  ): Promise<FinishResult> {
    const { runtime } = this.#core.driver;
    const { key, entry } = runner;
    const port = {
      extend: (_: number, call: { timeoutMs: number; signal?: AbortSignal }) => store.extend(runner, call),
      // What ends the run on the server is its outcome.
      release: () => Promise.resolve("released" as const),
    };
    const label = `${terms.where}: the run of ${JSON.stringify(key)}`;
    const lease = new TimedLease(
      runtime,
      port,
      { label, ttlMs: terms.leaseMs, renew: true, maxHoldMs: terms.maxHoldMs },
      granted.grantedAt,
    );
    const door = new Door(this.#core.handlers);
    this.#doors.set(door, entry);
    const run = {
      key,
      fence: granted.fence,
      attempt: granted.attempt,
      get signal() {
        return lease.signal;
      },
    };
    const whole = this.#toItsEnd(label, store, runner, granted, lease, () => door.enter(() => fn(run)), conclude);
    const disown = this.#core.own({
      close: async () => {
        const leftMs = lease.remainingMs;
        await lease.close();
        await within(runtime, Math.min(leftMs, MAX_CLOSE_MS), whole.then(nothing, nothing));
      },
    });
    try {
      return await whole;
    } finally {
      disown();
      this.#doors.delete(door);
      void lease.release();
    }
  }

  async #toItsEnd<R>(
    label: string,
    store: IdempotencyStore,
    runner: Runner,
    granted: Granted,
    lease: TimedLease,
    call: () => Promise<R>,
    conclude: (end: { readonly value: R } | { readonly error: unknown }) => Ending,
  ): Promise<FinishResult> {
    const ending = await call().then(
      (value) => conclude({ value }),
      (error: unknown) => conclude({ error }),
    );
    if ("payload" in ending) return this.#finish(label, store, runner, granted, lease, ending);
    // Its own error is the one to see, and the lease ends by itself.
    return store.finish(runner, granted, ending, false).catch(() => ({ status: "expired" }) as const);
  }

  /** Tries until the lease is over: then another may run. */
  async #finish(
    label: string,
    store: IdempotencyStore,
    runner: Runner,
    granted: Granted,
    lease: TimedLease,
    ending: Ending,
  ): Promise<FinishResult> {
    const { runtime } = this.#core.driver;
    for (;;) {
      try {
        return await store.finish(runner, granted, ending, lease.held);
      } catch (error) {
        if (!isOutage(error) || !lease.held) throw notStored(label, runner, error);
        await sleep(runtime, Math.min(PAUSE_MS * (0.5 + runtime.random()), lease.remainingMs), lease.signal);
      }
    }
  }
}

/** @throws LeaseLostError for a run that ended when the key was no longer its own */
export function refuseLost(where: string, key: Id, status: "stolen" | "expired"): never {
  const why = status === "stolen" ? "another one has begun" : "the server has lost it";
  const message = `${where}: the run of ${JSON.stringify(key)} has ended, but its outcome is not stored: ${why}; call again`;
  throw new LeaseLostError(status, message, { op: "idempotency.run", key: String(key) });
}

function notStored(label: string, { key }: Runner, cause: unknown): unknown {
  if (cause instanceof ClosedError || (cause instanceof HoldfastError && !isOutage(cause))) return cause;
  const message = `${label} has ended, but whether its outcome is stored is unknown; call again, which returns the outcome or runs it again`;
  return new OutcomeUnknownError(message, { op: "idempotency.run", key: String(key), cause });
}

function nothing(): void {}
