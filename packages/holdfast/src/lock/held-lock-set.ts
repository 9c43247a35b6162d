/** Several locks that were acquired together: held while each of them is. */
import { onAbort } from "../base/abort.ts";
import type { Duration } from "../base/options.ts";
import type { HeldLock, LockExtendResult, LockReleaseResult } from "./held-lock.ts";

/**
 * What `acquire` of several locks returns; its `signal` aborts when the first of them is lost.
 * @example
 * await using held = await hf.lock(["account:1", "account:2"]).acquire();
 * await transfer({ signal: held.signal, fence: held.fences.get("account:1") });
 */
export class HeldLockSet implements AsyncDisposable {
  /** All of them, as messages name what is held. */
  readonly name: string;
  /** In the order in which they were acquired. */
  readonly names: readonly string[];
  /** Where all were acquired with one. */
  readonly owner: string | undefined;
  /** That of each lock, by its name. They rise with each holder of that lock, and say nothing about one another. */
  readonly fences: ReadonlyMap<string, number>;
  readonly #locks: readonly HeldLock[];
  #abort: AbortController | undefined;

  constructor(locks: readonly HeldLock[]) {
    this.#locks = locks;
    this.names = locks.map(({ name }) => name);
    this.name = this.names.join(", ");
    const [owner, ...others] = new Set(locks.map((lock) => lock.owner));
    this.owner = others.length === 0 ? owner : undefined;
    this.fences = new Map(locks.map(({ name, fence }) => [name, fence]));
  }

  /** Aborts, with the LeaseLostError of the first that is lost, as that lock's own signal does; not on release. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      for (const { signal } of this.#locks) {
        if (signal.aborted) abort.abort(signal.reason);
        else onAbort(signal, (reason) => abort.abort(reason));
      }
    }
    return this.#abort.signal;
  }

  /** False once they were released or one of them was lost. */
  get held(): boolean {
    return this.#locks.every((lock) => lock.held);
  }

  /** Milliseconds for which all are held for certain; 0 once they are not. */
  get remainingMs(): number {
    return Math.min(...this.#locks.map((lock) => lock.remainingMs));
  }

  /**
   * Makes each last `ttl` from now, never shorter than it did; by default the ttl it was acquired with.
   * Cost: one script per lock.
   * @throws UnavailableError or TimeoutError if the server cannot be asked; those that were not extended are as they were
   */
  async extend(ttl?: Duration): Promise<LockExtendResult> {
    return worst(await Promise.all(this.#locks.map((lock) => lock.extend(ttl))));
  }

  /**
   * Releases all of them. Idempotent. `expired` or `stolen` where that is true of one.
   * Cost: one script per slot while nobody waits for them.
   * @throws UnavailableError or TimeoutError if no server answers; what could not be released ends by its ttl
   */
  async release(): Promise<LockReleaseResult> {
    const ends = await Promise.allSettled(this.#locks.map((lock) => lock.release()));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return worst(ends.map((end) => (end as PromiseFulfilledResult<LockReleaseResult>).value));
  }

  /** Releases them as well as it can, and never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => undefined);
  }
}

function worst(results: readonly LockReleaseResult[]): LockReleaseResult {
  for (const status of ["stolen", "expired"] as const) {
    if (results.some((result) => result.status === status)) return { status };
  }
  return { status: "ok" };
}
