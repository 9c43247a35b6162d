/**
 * Several locks, held together or not at all.
 *
 * All are asked for at once, which is one script per slot where they are free. If one is busy, those behind it in the
 * order of all locks (that of their names) are given back, and the rest is acquired one by one in that order. So a
 * waiter holds only such locks as come before the one it waits for, and no two callers can wait for each other.
 */
import { AbortedError, InvalidArgumentError, isOutage, TimeoutError } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import { MIN_REQUEST_MS } from "../core/lease/acquisition.ts";
import type { LeaseHolders } from "../core/lease/lease-holders.ts";
import { runHeld } from "../core/lease/run-held.ts";
import { Operations } from "../core/observe/observe.ts";
import type { Runtime } from "../base/runtime.ts";
import type { HeldLock } from "./held-lock.ts";
import { HeldLockSet } from "./held-lock-set.ts";
import { Lock, type LockParts } from "./lock.ts";
import { refuseNested } from "./nested.ts";
import { type LockAcquireOptions, lockLabel, type LockOptions, waiting } from "./options.ts";

/** `busy`: somebody else holds the lock `name`, for `ttlMs` unless it is renewed. */
export type LockSetTryResult =
  | { readonly status: "ok"; readonly locks: HeldLockSet }
  | { readonly status: "busy"; readonly name: string; readonly ttlMs: number };

const MAX_LOCKS = 100;

/**
 * Several locks that can be acquired together; itself it holds nothing.
 * @example
 * await using held = await hf.lock(["account:1", "account:2"], { ttl: "10s" }).acquire();
 */
export class LockSet {
  /** Sorted: the order of all locks. */
  readonly names: readonly string[];
  readonly #holders: LeaseHolders;
  readonly #runtime: Runtime;
  readonly #operations: Operations;
  readonly #locks: readonly Lock[];
  readonly #owner: string | undefined;

  constructor(core: Core, shared: LockParts, names: readonly string[], options?: LockOptions) {
    const isGood = Array.isArray(names) && names.length > 0 && names.length <= MAX_LOCKS;
    if (!isGood || new Set(names).size < names.length)
      throw new InvalidArgumentError("names", `1 to ${MAX_LOCKS} different names`, names, { where: "lock" });
    this.#holders = shared.holders;
    this.#runtime = core.driver.runtime;
    this.names = [...names].sort((a, b) => (a < b ? -1 : 1));
    this.#locks = this.names.map((name) => new Lock(core, shared, name, options));
    this.#owner = options?.owner;
    this.#operations = new Operations("lock", this.names.join(", "));
  }

  /**
   * Waits for all of them and holds them, renewed, until they are released.
   * Cost: one script per slot where they are free; else that and, for each from the first that is busy, as `acquire` of one lock.
   * @throws TimeoutError when they were not all free within `wait`, AbortedError when `signal` aborted; none is held then
   */
  acquire(options?: LockAcquireOptions): Promise<HeldLockSet> {
    return this.#operations.run("acquire", this.#operations.name, async () => {
      const { waitMs, signal } = waiting(this.#operations.where, options);
      for (const name of this.names) refuseNested(this.#holders, name, this.#owner);
      this.#throwIfAborted(signal);
      const deadline = this.#runtime.now() + waitMs;
      // While no server answers each goes on trying until the wait is over.
      const { held } = await this.#tryAll(Math.max(waitMs, MIN_REQUEST_MS)).catch((error: unknown) => {
        if (!isOutage(error)) throw error;
        return { held: [] as HeldLock[] };
      });
      try {
        this.#throwIfAborted(signal);
        while (held.length < this.#locks.length) {
          const wait = Math.max(deadline - this.#runtime.now(), 0);
          held.push(await this.#locks[held.length]!.acquire(signal === undefined ? { wait } : { wait, signal }));
          // What was lost while the others were waited for is acquired again, and what comes behind it.
          const lost = held.findIndex((lock) => !lock.held);
          if (lost === -1) continue;
          if (wait === 0) throw this.#lostMeanwhile(held[lost]!.name);
          await giveBack(held.splice(lost));
        }
      } catch (error) {
        await giveBack(held);
        throw error;
      }
      return new HeldLockSet(held);
    });
  }

  /**
   * Acquires them if all are free now.
   * Cost: one script per slot; one more where one was busy.
   */
  tryAcquire(): Promise<LockSetTryResult> {
    return this.#operations.run("acquire", this.#operations.name, async () => {
      const { held, busy } = await this.#tryAll(Infinity);
      if (busy === undefined) return { status: "ok", locks: new HeldLockSet(held) };
      await giveBack(held);
      return { status: "busy", ...busy };
    });
  }

  /**
   * Runs `body` while all are held and returns what it returns. An error of the body is passed on as it is.
   * Cost: as `acquire` and `release`.
   * @throws LeaseLostError when the body has ended but did not hold all of them to its end; what `acquire` throws
   */
  async run<R>(body: (held: HeldLockSet) => R | Promise<R>, options?: LockAcquireOptions): Promise<R> {
    const { where } = this.#operations;
    if (typeof body !== "function") throw new InvalidArgumentError("body", "a function", body, { where });
    const held = await this.acquire(options);
    return runHeld(this.#holders, { held, label: this.names.map(lockLabel), op: "lock.run" }, body);
  }

  #lostMeanwhile(name: string): TimeoutError {
    const { where } = this.#operations;
    const message = `${where}: ${lockLabel(name)} was lost while the others were acquired; a longer ttl, or \`renew\`, keeps it`;
    return new TimeoutError(message, { op: "lock.acquire", key: this.#operations.name });
  }

  #throwIfAborted(signal: AbortSignal | undefined): void {
    if (signal?.aborted !== true) return;
    const { where, name } = this.#operations;
    const details = { op: "lock.acquire", key: name, cause: signal.reason as unknown };
    throw new AbortedError(`${where}: the waiting was ended by its signal`, details);
  }

  /** Those of them, in their order, that come before the first which is busy. Rejects with nothing held. */
  async #tryAll(
    withinMs: number,
  ): Promise<{ held: HeldLock[]; busy?: { readonly name: string; readonly ttlMs: number } }> {
    const asked = await Promise.allSettled(this.#locks.map((lock) => Lock.tryWithin(lock, withinMs)));
    const failed = asked.find((each) => each.status === "rejected");
    const answers = asked.map((each) => (each.status === "fulfilled" ? each.value : undefined));
    const first = answers.findIndex((answer) => answer?.status !== "ok");
    const granted = answers.map((answer) => (answer?.status === "ok" ? answer.lock : undefined));
    const isKept = (at: number): boolean => failed === undefined && (first === -1 || at < first);
    await giveBack(granted.filter((lock, at) => lock !== undefined && !isKept(at)) as HeldLock[]);
    if (failed !== undefined) throw failed.reason;
    const held = granted.filter((_, at) => isKept(at)) as HeldLock[];
    const answer = answers[first];
    if (answer?.status !== "busy") return { held };
    return { held, busy: { name: this.names[first]!, ttlMs: answer.ttlMs } };
  }
}

/** What cannot be given back now ends by its ttl. */
async function giveBack(held: readonly HeldLock[]): Promise<void> {
  await Promise.allSettled(held.map((lock) => lock.release()));
}
