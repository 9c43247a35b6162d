/**
 * Redlock: locks that a majority of independent servers keeps, so that no single one can lose them
 * (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/, with fences and an enforced delayed restart).
 *
 * What it promises: while fewer than half of the servers are away, locks are given and kept; at most one holder at a time while
 * the servers' clocks run alike and none is set; each new holder's fence is higher, also where a clock is set. What it cannot
 * promise, and what it needs of the servers, is in docs/redlock.md.
 *
 * While no majority answers: `acquire` waits for one as part of its `wait`, `tryAcquire` rejects, and what is held stays held until
 * its ttl is over, then its signal aborts.
 */
import { InvalidArgumentError, said } from "../base/errors.ts";
import { sleep } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import { LeaseHolders } from "../core/lease/lease-holders.ts";
import type { Waiter } from "../core/wait/wakeups.ts";
import { type RedlockLockOptions, type RedlockOptions, type RedlockSettings, redlockSettings } from "./options.ts";
import { RedlockLock } from "./redlock-lock.ts";
import { nth, Voter } from "./voter.ts";
import { Voters } from "./voters.ts";

const [FEWEST, MOST] = [3, 100];

/**
 * Locks over several servers. One per process is enough; it ends with any of its handles.
 * @example
 * await using red = redlock([process.env.REDIS_A, process.env.REDIS_B, process.env.REDIS_C]);
 * await red.lock("invoice:42").run(async ({ fence, signal }) => charge(invoice, { fence, signal }));
 */
export class Redlock implements AsyncDisposable {
  readonly #voters: Voters;
  readonly #settings: RedlockSettings;
  readonly #holders: LeaseHolders;
  readonly #forget: (() => void)[] = [];
  readonly #opened: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @param opened closes what was opened for it */
  constructor(cores: readonly Core[], options: RedlockOptions | undefined, opened: () => Promise<void>) {
    this.#settings = redlockSettings(options);
    this.#voters = new Voters(cores.map((core, at) => new Voter(core, at + 1, this.#settings)));
    this.#opened = opened;
    const { runtime } = cores[0]!.driver;
    this.#holders = new LeaseHolders({
      driver: { runtime },
      // Nobody is woken: waiters look again after a while.
      wakeups: { join: () => this.#pause() },
      own: (holders) => {
        for (const core of cores) this.#forget.push(core.own(holders));
        return () => undefined;
      },
    });
  }

  /** One holder at a time over all servers: `await using held = await red.lock("invoice:42").acquire()`. */
  lock(name: string, options?: RedlockLockOptions): RedlockLock {
    return new RedlockLock(this.#voters, this.#holders, this.#settings, name, options);
  }

  /** Aborts the signals of all that is held, releases it, and closes the handles that were opened for it. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#holders.close();
    for (const forget of this.#forget) forget();
    await this.#opened();
  }

  /** Those who have met in a first attempt part here, else they would meet in the second. */
  async #pause(): Promise<Waiter> {
    const { runtime } = this.#voters.all[0]!.core.driver;
    await sleep(runtime, this.#settings.retryDelayMs * (0.5 + runtime.random()));
    return { next: (ms, signal) => sleep(runtime, ms, signal), leave: () => undefined };
  }
}

/** @throws InvalidArgumentError for fewer than three servers, for one that is given twice, and for what is none */
export function checkServers<T>(given: readonly T[]): readonly T[] {
  const refused = (got: unknown): InvalidArgumentError => {
    const expected = `${FEWEST} to ${MOST} handles, URLs or options, each once`;
    return new InvalidArgumentError("servers", expected, got, { where: "redlock" });
  };
  if (!Array.isArray(given)) throw refused(given);
  if (given.length < FEWEST || given.length > MOST) throw refused(said(`${given.length}`));
  if (new Set(given).size < given.length) throw refused(said("one of them twice"));
  // A variable that is not set would be the embedded server.
  const missing = given.findIndex((each) => !each || (typeof each !== "string" && typeof each !== "object"));
  if (missing >= 0) throw refused(said(`nothing of these as the ${nth(missing + 1)}`));
  return given;
}
