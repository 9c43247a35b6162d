/**
 * Read-write locks: many readers or one writer in the whole fleet, by name.
 *
 * What they promise: while the server keeps its data, nobody holds the lock beside a writer. Nobody starves: a writer that
 * waits keeps new readers out, and when a writer leaves all readers that wait by then come in before the next one (phase-fair:
 * B. Brandenburg, J. Anderson, "Reader-writer synchronization for shared-memory multiprocessor real-time systems", 2009).
 * Each reader has a ttl of its own, so a dead one blocks writers for that long at most, whoever else renews.
 *
 * While the server is away: `acquire` waits for it as part of its `wait`; `tryAcquire` rejects; what is held stays held
 * until its ttl is over, then its signal aborts.
 */
import type { Core } from "../core/core.ts";
import { LeaseLostError } from "../base/errors.ts";
import type { HeldLease } from "../core/lease/held-lease.ts";
import type { LeaseHolders } from "../core/lease/lease-holders.ts";
import type { RequestTerms } from "../core/lease/request.ts";
import type { TimedLease } from "../core/lease/timed-lease.ts";
import { Operations } from "../core/observe/observe.ts";
import { HeldReadLock, HeldUpgradableLock, HeldWriteLock, type Hold } from "./held.ts";
import { type RwLockAcquireOptions, type RwLockOptions, rwLockSettings, waitingFor } from "./options.ts";
import { RwLockRequest, UpgradeRequest } from "./request.ts";
import { RwLockSide } from "./side.ts";
import { type Mode, type RwLockInfo, RwLockStore } from "./store.ts";

/**
 * A lock that can be acquired to read or to write; itself it holds nothing.
 * @example
 * const config = hf.rwlock("config");
 * const current = await config.read.run(() => load());
 * await config.write.run((held) => save(next, held.fence));
 */
export class RwLock {
  readonly name: string;
  /** Many at a time. */
  readonly read: RwLockSide<HeldReadLock>;
  /** Alone. */
  readonly write: RwLockSide<HeldWriteLock>;
  /** One at a time, beside readers: reads, and can become the one that writes. */
  readonly upgradable: RwLockSide<HeldUpgradableLock>;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #holders: LeaseHolders;
  readonly #terms: RequestTerms;
  readonly #store: RwLockStore;

  constructor(core: Core, holders: LeaseHolders, name: string, options?: RwLockOptions) {
    this.name = name;
    this.#operations = new Operations("rwlock", name);
    this.#core = core;
    this.#holders = holders;
    this.#terms = rwLockSettings(this.#operations.where, options, core.driver.timeoutMs);
    this.#store = new RwLockStore(core, name, this.#terms.timeoutMs);
    this.read = this.#side("r", (hold, fence) => new HeldReadLock(hold, fence));
    this.write = this.#side("w", (hold, fence, token) => this.#writing(hold, fence, token));
    this.upgradable = this.#side(
      "u",
      (hold, fence, token) => new HeldUpgradableLock(hold, fence, (waiting) => this.#upgrade(hold, token, waiting)),
    );
  }

  /**
   * Returns how the lock is held, and how many requests wait.
   * Cost: one script.
   */
  info(): Promise<RwLockInfo> {
    return this.#operations.run("info", this.name, () => this.#store.inspect());
  }

  #side<H extends HeldLease>(mode: Mode, view: (hold: Hold, fence: number, token: string) => H): RwLockSide<H> {
    const { name } = this;
    const operations = this.#operations;
    const { ttlMs } = this.#terms;
    const hold = (lease: TimedLease): Hold => ({ operations, name, lease, ttlMs });
    return new RwLockSide<H>(name, {
      operations,
      holders: this.#holders,
      terms: this.#terms,
      request: () => new RwLockRequest(this.#asked(this.#core.driver.runtime.randomUUID()), mode),
      hold: ({ token }, lease, fence) => view(hold(lease), fence, token),
    });
  }

  #writing(hold: Hold, fence: number, token: string): HeldWriteLock {
    return new HeldWriteLock(hold, fence, async () => {
      const isHeld = hold.lease.held && (await this.#store.downgrade(token, false)) === "ok" && hold.lease.held;
      if (isHeld) return new HeldReadLock(hold, fence);
      const message = `${this.#operations.where}: the hold was lost before it could be downgraded`;
      throw new LeaseLostError("expired", message, { op: "rwlock.downgrade", key: this.name });
    });
  }

  async #upgrade(hold: Hold, token: string, options: RwLockAcquireOptions | undefined): Promise<HeldWriteLock> {
    const waiting = waitingFor(this.#operations.where, options);
    const { fence } = await this.#holders.wait(new UpgradeRequest(this.#asked(token)), this.#terms, waiting);
    return this.#writing(hold, fence, token);
  }

  #asked(token: string): ConstructorParameters<typeof UpgradeRequest>[0] {
    return { store: this.#store, label: this.#operations.where, token, ttlMs: this.#terms.ttlMs };
  }
}
