import { InvalidArgumentError } from "../base/errors.ts";
import { checkText, MAX_ID_LENGTH } from "../core/keyspace/keyspace.ts";
import type { Held, LeaseHolders } from "../core/lease/lease-holders.ts";
import { runHeld } from "../core/lease/run-held.ts";
import { Operations } from "../core/observe/observe.ts";
import { HeldRedlock } from "./held-redlock.ts";
import {
  type RedlockAcquireOptions,
  type RedlockLockOptions,
  type RedlockSettings,
  type RedlockTerms,
  redlockTerms,
  redlockWaiting,
} from "./options.ts";
import { type RedlockGrant, RedlockRequest } from "./request.ts";
import type { Voters } from "./voters.ts";

export type RedlockTryResult = { status: "ok"; lock: HeldRedlock } | { status: "busy" };

/**
 * A lock that can be acquired on a majority of the servers; itself it holds nothing.
 * @example
 * const invoice = red.lock("invoice:42", { ttl: "10s" });
 * await using held = await invoice.acquire({ wait: "30s" });
 */
export class RedlockLock {
  readonly name: string;
  readonly #operations: Operations;
  readonly #voters: Voters;
  readonly #holders: LeaseHolders;
  readonly #terms: RedlockTerms;

  constructor(
    voters: Voters,
    holders: LeaseHolders,
    settings: RedlockSettings,
    name: string,
    options?: RedlockLockOptions,
  ) {
    this.name = name;
    this.#operations = new Operations("redlock", name);
    try {
      checkText("name", name, MAX_ID_LENGTH);
    } catch (error) {
      throw error instanceof InvalidArgumentError ? error.at("redlock") : error;
    }
    this.#voters = voters;
    this.#holders = holders;
    this.#terms = redlockTerms(this.#operations.where, options, settings);
  }

  /**
   * Waits for the lock and holds it, renewed, until it is released. Waiters try again after `retryDelay`, in no particular order.
   * Cost per attempt: two scripts on every server, one after the other; a failed one is taken back by a third.
   * @throws TimeoutError when it was not free within `wait`, AbortedError when `signal` aborted, UnavailableError while no majority votes,
   * InvalidArgumentError for servers that are not independent, HoldfastError with code `CONFLICT` inside a `run` of the same lock
   */
  acquire(options?: RedlockAcquireOptions): Promise<HeldRedlock> {
    return this.#operations.run("acquire", this.name, () => this.#acquire(options));
  }

  /**
   * Acquires the lock if a majority gives it now.
   * Cost: as one attempt of `acquire`.
   * @throws UnavailableError while no majority votes
   */
  tryAcquire(): Promise<RedlockTryResult> {
    return this.#operations.run("acquire", this.name, async () => {
      const answer = await this.#holders.tryAcquire(this.#request(), this.#terms);
      return "status" in answer ? { status: "busy" } : { status: "ok", lock: this.#held(answer) };
    });
  }

  /**
   * Runs `body` while it holds the lock and returns what `body` returns. An error of the body is passed on as it is.
   * Cost: as `acquire` and `release`.
   * @throws LeaseLostError when the body has ended but did not hold the lock to its end; what `acquire` throws
   */
  async run<R>(body: (held: HeldRedlock) => R | Promise<R>, options?: RedlockAcquireOptions): Promise<R> {
    const label = this.#operations.where;
    if (typeof body !== "function") throw new InvalidArgumentError("body", "a function", body, { where: label });
    const held = await this.acquire(options);
    return runHeld(this.#holders, { held, label, op: "redlock.run" }, body);
  }

  async #acquire(options: RedlockAcquireOptions | undefined): Promise<HeldRedlock> {
    const waiting = redlockWaiting(this.#operations.where, options);
    const request = this.#request();
    this.#holders.refuseNested({
      name: this.name,
      label: request.label,
      op: request.op,
      advice: "it is in a run() of this lock",
    });
    return this.#held(await this.#holders.acquire(request, this.#terms, waiting));
  }

  #request(): RedlockRequest {
    return new RedlockRequest(this.#voters, this.name, this.#operations.where, this.#terms);
  }

  #held({ grant, lease }: Held<RedlockGrant>): HeldRedlock {
    return new HeldRedlock(this.#operations, this.name, grant.fence, lease, this.#terms.ttlMs);
  }
}
