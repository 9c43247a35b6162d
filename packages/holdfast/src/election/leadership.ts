/** A lead that was won: what the leader can see and do. */
import type { Operations } from "../core/observe/observe.ts";
import type { LeaseEnd, TimedLease } from "../core/lease/timed-lease.ts";
import { type ElectionResignOptions, resigning } from "./options.ts";
import type { Candidacy } from "./request.ts";
import type { ElectionGrant, ElectionStore } from "./store.ts";

/**
 * `ok`: it leads no longer; `next` has been handed the lead, undefined where there was no candidate. `missing`: the one that
 * was named is no candidate, and nothing was changed. `expired`: the lead had been lost, and nobody has it now; `stolen`:
 * somebody else has it.
 */
export type ElectionResignResult =
  | { readonly status: "ok"; readonly next: string | undefined }
  | { readonly status: "missing" | "expired" | "stolen" };

/** `expired` and `stolen` as for resigning; nothing was changed then. */
export interface ElectionProclaimResult {
  readonly status: "ok" | "expired" | "stolen";
}

/**
 * What `campaign` returns; its `signal` aborts when the lead is lost.
 * @example
 * await using leadership = await hf.election("scheduler").campaign();
 * await schedule({ signal: leadership.signal, fence: leadership.term });
 */
export class Leadership<V> implements AsyncDisposable {
  readonly id: string;
  /**
   * Rises with each new leader, and no two leaders have the same. Send it along with what the leader does, and let the other
   * side refuse a number below the highest it has seen.
   */
  readonly term: number;
  /** When the term began, in milliseconds since 1970 by the server's clock. */
  readonly since: number;
  readonly #operations: Operations;
  readonly #store: ElectionStore<V>;
  readonly #candidacy: Candidacy;
  readonly #lease: TimedLease;
  readonly #signal: AbortSignal | undefined;
  #value: V | undefined;

  /** @param stop aborts the signal too */
  constructor(
    { operations, store }: { readonly operations: Operations; readonly store: ElectionStore<V> },
    {
      id,
      value,
      stop,
    }: { readonly id: string; readonly value: V | undefined; readonly stop?: AbortSignal | undefined },
    candidacy: Candidacy,
    { term, since }: ElectionGrant,
    lease: TimedLease,
  ) {
    this.#operations = operations;
    this.#store = store;
    this.#candidacy = candidacy;
    this.#lease = lease;
    this.#value = value;
    this.#signal = stop && AbortSignal.any([lease.signal, stop]);
    this.id = id;
    this.term = term;
    this.since = since;
  }

  /** What it campaigned with or has proclaimed since. */
  get value(): V | undefined {
    return this.#value;
  }

  /**
   * Aborts, with a LeaseLostError as its reason, when the lead is lost (known without the server, before the server lets
   * anybody else in), and when the handle or the runner is closed; not when it resigns.
   */
  get signal(): AbortSignal {
    // Looks at the clock, so that a blocked event loop does not hide the loss.
    const { signal } = this.#lease;
    return this.#signal ?? signal;
  }

  /** False once it has resigned or lost the lead. */
  get held(): boolean {
    return this.#lease.held;
  }

  /** Milliseconds for which it leads for certain, whatever happens to the server; 0 once it does not. */
  get remainingMs(): number {
    return this.#lease.remainingMs;
  }

  /**
   * Gives up the lead, and hands it over at once to the candidate that has waited longest, or to the one that is named
   * (to the first after all, where that one has gone meanwhile: `next` says who it was). Idempotent.
   * Cost: one script; with `to` two.
   * @throws UnavailableError or TimeoutError if no server answers; the lead then ends by its ttl
   */
  resign(options?: ElectionResignOptions): Promise<ElectionResignResult> {
    return this.#operations.run("resign", this.#store.name, async () => {
      const to = resigning(this.#store.label, options);
      if (to !== undefined && this.held) {
        const candidates = await this.#store.candidates();
        if (!candidates.some(({ id }) => id === to)) return { status: "missing" };
        this.#candidacy.to = to;
      }
      const end = await this.#lease.release();
      if (end !== "released") return { status: end };
      const { next } = this.#candidacy;
      return { status: "ok", next: next === "" ? undefined : next };
    });
  }

  /**
   * Replaces the value that everybody sees, in the same term.
   * Cost: one script.
   * @throws CodecError when the value does not match the schema or cannot be encoded
   */
  proclaim(value: V): Promise<ElectionProclaimResult> {
    return this.#operations.run("proclaim", this.#store.name, async () => {
      const bytes = this.#store.encode(value);
      const status = await this.#store.proclaim(this.#candidacy.token, bytes);
      if (status === "ok") this.#value = value;
      return { status };
    });
  }

  /** Resigns as well as it can, and never throws: the error of the block that ends is the one to see. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lease.release().catch((): LeaseEnd => "expired");
  }
}
