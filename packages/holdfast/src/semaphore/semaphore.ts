/**
 * Semaphores: so many holders at a time in the whole fleet, by name.
 *
 * What they promise: while the server keeps its data, no more permits are held than the limit, and each grant has a higher
 * fence. Holders expire by the server's clock and learn of it by their own before anybody else is let in. Who waits comes
 * in by order of arrival: permits are handed over to him, and a newcomer is not quicker. A holder that dies blocks its
 * permits for its ttl at most, a waiter that dies the next one for a second.
 *
 * While the server is away: `acquire` waits for it as part of its `wait`; `tryAcquire` rejects; what is held stays held
 * until its ttl is over, then its signal aborts.
 */
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { wholeBetween } from "../base/options.ts";
import type { Held, LeaseHolders } from "../core/lease/lease-holders.ts";
import { runHeld } from "../core/lease/run-held.ts";
import { Operations } from "../core/observe/observe.ts";
import { HeldPermits } from "./held-permits.ts";
import {
  asked,
  askedOnce,
  holdersAsked,
  MAX_PERMITS,
  type SemaphoreAcquireOptions,
  type SemaphoreInfoOptions,
  type SemaphoreOptions,
  type SemaphoreSettings,
  semaphoreSettings,
  type SemaphoreTryAcquireOptions,
} from "./options.ts";
import { type PermitGrant, SemaphoreRequest } from "./request.ts";
import { type SemaphoreInfo, SemaphoreStore } from "./store.ts";

/** `busy`: not that many are free; some may be in `ttlMs`, unless they are renewed, or sooner if they are released. */
export type SemaphoreTryResult =
  | { readonly status: "ok"; readonly permit: HeldPermits }
  | { readonly status: "busy"; readonly ttlMs: number };

/**
 * A semaphore from which permits can be acquired, any number of times, by any number of callers; itself it holds nothing.
 * @example
 * const gpus = hf.semaphore("gpu", { permits: 4 });
 * await gpus.run(() => render(scene));
 */
export class Semaphore {
  readonly name: string;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #holders: LeaseHolders;
  readonly #store: SemaphoreStore;
  readonly #settings: SemaphoreSettings;

  constructor(core: Core, holders: LeaseHolders, name: string, options: SemaphoreOptions) {
    this.name = name;
    this.#operations = new Operations("semaphore", name);
    this.#core = core;
    this.#holders = holders;
    this.#settings = semaphoreSettings(this.#operations.where, options, core.driver.timeoutMs);
    this.#store = new SemaphoreStore(core, name, this.#settings);
  }

  /**
   * Waits for permits and holds them, renewed, until they are released.
   * Cost: one script when they are free; while they are not, one more per wake-up and one per ttl of a holder.
   * @throws TimeoutError when they were not free within `wait`, AbortedError when `signal` aborted, InvalidArgumentError for
   * more than the limit, HoldfastError with code `CONFLICT` inside a `run` of the same semaphore
   */
  acquire(options?: SemaphoreAcquireOptions): Promise<HeldPermits> {
    return this.#operations.run("acquire", this.name, () => this.#acquire(options));
  }

  /**
   * Acquires permits if they are free now and nobody waits for them: a limit of how much runs at a time.
   * Cost: one script.
   * @throws InvalidArgumentError for more than the limit
   */
  tryAcquire(options?: SemaphoreTryAcquireOptions): Promise<SemaphoreTryResult> {
    return this.#operations.run("acquire", this.name, async () => {
      const request = this.#request(askedOnce(this.#operations.where, options));
      const answer = await this.#holders.tryAcquire(request, this.#settings);
      if ("status" in answer) return { status: "busy", ttlMs: answer.ttlMs };
      return { status: "ok", permit: this.#held(request, answer) };
    });
  }

  /**
   * Runs `body` while it holds permits and returns what `body` returns. An error of the body is passed on as it is.
   * Cost: as `acquire` and `release`.
   * @throws LeaseLostError when the body has ended but did not hold the permits to its end; what `acquire` throws
   */
  async run<R>(body: (held: HeldPermits) => R | Promise<R>, options?: SemaphoreAcquireOptions): Promise<R> {
    const { where } = this.#operations;
    if (typeof body !== "function") throw new InvalidArgumentError("body", "a function", body, { where });
    const held = await this.acquire(options);
    return runHeld(this.#holders, { held, label: where, op: "semaphore.run" }, body);
  }

  /**
   * Stores a limit, which from now on counts instead of the `permits` of all processes, until `reset` or until nobody has
   * used the semaphore for a week. A lower one takes nothing from those who hold permits; 0 lets nobody in.
   * Returns how many permits are held. Cost: one script.
   */
  resize(limit: number): Promise<{ readonly held: number }> {
    return this.#operations.run("resize", this.name, async () => ({
      held: await this.#store.resize(wholeBetween("limit", limit, 0, MAX_PERMITS)),
    }));
  }

  /**
   * Forgets the limit of `resize`: the `permits` of each process count again.
   * Returns how many permits are held. Cost: one script.
   */
  reset(): Promise<{ readonly held: number }> {
    return this.#operations.run("reset", this.name, async () => ({ held: await this.#store.resize(undefined) }));
  }

  /**
   * Returns the limit, how many permits are held and by whom, and how many requests wait.
   * Cost: one script.
   */
  info(options?: SemaphoreInfoOptions): Promise<SemaphoreInfo> {
    return this.#operations.run("info", this.name, () =>
      this.#store.inspect(holdersAsked(this.#operations.where, options)),
    );
  }

  async #acquire(options: SemaphoreAcquireOptions | undefined): Promise<HeldPermits> {
    const { count, ...waiting } = asked(this.#operations.where, options);
    const request = this.#request(count);
    const advice = "it is in a run() of this semaphore; acquire all the permits at once";
    this.#holders.refuseNested({ name: this.name, label: request.label, op: request.op, advice });
    return this.#held(request, await this.#holders.acquire(request, this.#settings, waiting));
  }

  #request(count: number): SemaphoreRequest {
    return new SemaphoreRequest(this.#store, this.#operations.where, count, this.#core.driver.runtime.randomUUID());
  }

  #held({ token, count }: SemaphoreRequest, { grant, lease }: Held<PermitGrant>): HeldPermits {
    const about = { name: this.name, id: token, permits: count, fence: grant.fence };
    return new HeldPermits(this.#operations, about, lease, this.#settings.ttlMs);
  }
}
