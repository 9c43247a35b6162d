/**
 * Barriers: so many begin a step together, and end it together (a double barrier).
 *
 * Promises: nobody is inside before all have entered, and nobody is past `leave` before all have left; one that dies inside
 * breaks the barrier for all of them instead of holding them up. One that dies or gives up before all have entered only frees its
 * place.
 *
 * While the server is away: those who wait wait for it as part of their `timeout`; who is inside is so until its ttl is over, then
 * its signal aborts.
 */
import type { Core } from "../core/core.ts";
import { Patience } from "../core/lease/patience.ts";
import type { Waiting } from "../core/lease/request.ts";
import { type LeasePort, TimedLease } from "../core/lease/timed-lease.ts";
import { Operations } from "../core/observe/observe.ts";
import { type Followed, Follower } from "../core/wait/follower.ts";
import {
  type BarrierOptions,
  type BarrierSettings,
  barrierSettings,
  type BarrierWaitOptions,
  waiting,
} from "./options.ts";
import { BarrierStore } from "./store.ts";
import { Entering, Leaving } from "./waits.ts";

/** `broken`: one of the others died, or gave up, inside. */
export interface BarrierLeaveResult {
  readonly status: "ok" | "broken";
}

/** What is followed until its first item, and what its wait is called in errors. */
type WaitFor = <Item>(followed: Followed<unknown, Item>, given: Waiting, what: string) => Promise<Item>;

/** One that has entered. */
export class BarrierPass implements AsyncDisposable {
  /** Rises with each round; at least the server's time in microseconds. */
  readonly round: number;
  readonly #lease: TimedLease;
  readonly #leave: (options: BarrierWaitOptions | undefined) => Promise<BarrierLeaveResult>;

  constructor(
    round: number,
    lease: TimedLease,
    leave: (options: BarrierWaitOptions | undefined) => Promise<BarrierLeaveResult>,
  ) {
    this.round = round;
    this.#lease = lease;
    this.#leave = leave;
  }

  /** Aborts, with a LeaseLostError, when the barrier is broken, when this one counts as dead, and when the handle is closed. */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /**
   * Leaves, and waits until all have left or the barrier is broken. May be called again after a TimeoutError.
   * Cost: two scripts, and one when it is over.
   * @throws TimeoutError when others are inside still after `timeout`; AbortedError when `signal` aborted
   */
  leave(options?: BarrierWaitOptions): Promise<BarrierLeaveResult> {
    return this.#leave(options);
  }

  /** Leaves without waiting for the others, and never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lease.release().catch(() => undefined);
  }
}

/**
 * A barrier that can be entered by any process.
 * @example
 * const step = hf.barrier("reindex", { parties: 4 });
 * const pass = await step.enter({ timeout: "5m" });
 * await reindexMyPart(pass.signal);
 * const { status } = await pass.leave({ timeout: "1h" });
 */
export class Barrier {
  readonly name: string;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #settings: BarrierSettings;
  readonly #store: BarrierStore;

  constructor(core: Core, name: string, options: BarrierOptions) {
    this.name = name;
    this.#core = core;
    this.#operations = new Operations("barrier", name);
    this.#settings = barrierSettings(core, this.#operations.where, options);
    this.#store = new BarrierStore(core, name, this.#settings);
  }

  /**
   * Waits until all have entered, and is inside. While the round before is not over it waits for that.
   * Cost: SUBSCRIBE, one script per third of the ttl, and one when all are there.
   * @throws TimeoutError when others are missing still after `timeout`, AbortedError when `signal` aborted; its place is free then
   */
  enter(options?: BarrierWaitOptions): Promise<BarrierPass> {
    return this.#operations.run("enter", this.name, async () => {
      const given = waiting(this.#operations.where, options);
      const { runtime } = this.#core.driver;
      const entering = new Entering(this.#store, this.#settings, given.waitMs, runtime);
      try {
        const entered = await this.#until(entering, given, "others have not entered");
        return this.#pass(entering.token, entered);
      } catch (error) {
        void this.#store.withdraw(entering.token);
        throw error;
      }
    });
  }

  #pass(token: string, { round, grantedAt }: { readonly round: number; readonly grantedAt: number }): BarrierPass {
    const store = this.#store;
    const { runtime } = this.#core.driver;
    let end: BarrierLeaveResult["status"] = "broken";
    let isClosing = false;
    const port: LeasePort = {
      extend: (ttlMs, call) => store.renew(token, round, ttlMs, call),
      release: async () => {
        // Closed before it has left: the others are not to take its part for done.
        if (isClosing) await store.withdraw(token);
        else if ((await store.leave(token, round)) === "left") end = "ok";
        return end === "ok" ? "released" : "expired";
      },
    };
    const terms = { label: this.#operations.where, ttlMs: this.#settings.ttlMs, renew: true, maxHoldMs: Infinity };
    const lease: TimedLease = new TimedLease(runtime, port, terms, grantedAt, () => disown());
    const close = (): Promise<void> => {
      isClosing = true;
      return lease.close();
    };
    const disown = this.#core.own({ close });
    return new BarrierPass(round, lease, (options) =>
      this.#operations.run("leave", this.name, async () => {
        const given = waiting(this.#operations.where, options);
        await lease.release();
        if (end === "broken") return { status: "broken" };
        const leaving = new Leaving(store, round, this.#settings.timeoutMs);
        return { status: await this.#until(leaving, given, "others have not left") };
      }),
    );
  }

  readonly #until: WaitFor = async (followed, given, what) => {
    const patience = new Patience({
      runtime: this.#core.driver.runtime,
      name: this.name,
      label: this.#operations.where,
      op: followed.op,
      ...given,
      isClosed: () => this.#core.isClosing,
      inVain: () => `${what} after ${given.waitMs} ms`,
    });
    if (patience.isCalledOff) throw patience.error();
    const follower = new Follower(this.#core, followed, undefined);
    try {
      const { value } = await patience.within(follower.next());
      // Without one it was the handle that was closed.
      if (value === undefined) throw patience.error();
      return value;
    } finally {
      void follower.close();
    }
  };
}
