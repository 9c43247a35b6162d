/** What every holder of a lease can see and do: the base of what an `acquire` returns. */
import { type Duration, toMs } from "../../base/options.ts";
import type { Operations } from "../observe/observe.ts";
import type { LeaseEnd, LeaseExtension, TimedLease } from "./timed-lease.ts";

/** @typeParam Lost how it can have ended: `stolen` only where another can hold the same */
export abstract class HeldLease<Lost extends "expired" | "stolen" = "expired"> implements AsyncDisposable {
  readonly name: string;
  readonly #operations: Operations;
  readonly #lease: TimedLease;
  readonly #ttlMs: number;

  constructor(operations: Operations, name: string, lease: TimedLease, ttlMs: number) {
    this.name = name;
    this.#operations = operations;
    this.#lease = lease;
    this.#ttlMs = ttlMs;
  }

  /**
   * Aborts, with a LeaseLostError as its reason, when it is lost (known without the server, before the server lets
   * anybody else in), when `maxHold` is over, and when the handle is closed; not on release.
   */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** False once it was released or lost. */
  get held(): boolean {
    return this.#lease.held;
  }

  /** Milliseconds for which it is held for certain, whatever happens to the server; 0 once it is not held. */
  get remainingMs(): number {
    return this.#lease.remainingMs;
  }

  /**
   * Makes it last `ttl` from now, never shorter than it did; by default the ttl it was acquired with.
   * Cost: one script.
   * @throws UnavailableError or TimeoutError if the server cannot be asked; it is then as it was
   */
  extend(ttl: Duration = this.#ttlMs): Promise<{ readonly status: "ok" | Lost }> {
    return this.#operations.run("extend", this.name, async () => ({
      status: this.#status(await this.#lease.extend(toMs("ttl", ttl))),
    }));
  }

  /**
   * Releases it. Idempotent.
   * Cost: one script.
   * @throws UnavailableError or TimeoutError if no server answers; it then ends by its ttl
   */
  release(): Promise<{ readonly status: "ok" | Lost }> {
    return this.#operations.runAtOnce("release", this.name, () =>
      this.#lease.release().then((end) => ({ status: this.#status(end) })),
    );
  }

  /** Releases it as well as it can, and never throws: the error of the block that ends is the one to see. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => undefined);
  }

  #status(outcome: LeaseEnd | LeaseExtension): "ok" | Lost {
    return outcome === "expired" || outcome === "stolen" ? (outcome as Lost) : "ok";
  }
}
