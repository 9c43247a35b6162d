/**
 * Latches: a gate that opens for everybody once so many have counted down.
 *
 * Promises: each id counts once in a round, however often it is sent; a round that is open stays open, for those who come late
 * too, until it is reset or forgotten by its ttl; waiters in any process pass when it opens, without polling.
 *
 * While the server is away: `countDown`, `reset` and `info` wait for it until their deadline and then reject; `wait` waits for it
 * as part of its `timeout`.
 */
import type { Core } from "../core/core.ts";
import { HoldfastError } from "../base/errors.ts";
import { Patience } from "../core/lease/patience.ts";
import { Operations } from "../core/observe/observe.ts";
import { Follower } from "../core/wait/follower.ts";
import { Opener } from "./opening.ts";
import {
  checkedId,
  type LatchOptions,
  type LatchSettings,
  latchSettings,
  type LatchWaitOptions,
  waiting,
} from "./options.ts";
import { LatchStore } from "./store.ts";

export interface LatchCountDownResult {
  readonly status: "ok";
  /** How many are still to count down; 0: it is open. */
  readonly remaining: number;
  /** Rises with each round; at least the server's time in microseconds. */
  readonly round: number;
}

export interface LatchInfo {
  /** 0 where no round has begun. */
  readonly round: number;
  readonly count: number;
  readonly remaining: number;
  readonly open: boolean;
}

/**
 * A latch that can be counted down and awaited by any process.
 * @example
 * const ready = hf.latch("deploy:42", { count: 5 });
 * await ready.countDown("web-7");
 * await ready.wait({ timeout: "1m" });
 */
export class Latch {
  readonly name: string;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #settings: LatchSettings;
  readonly #store: LatchStore;

  constructor(core: Core, name: string, options: LatchOptions) {
    this.name = name;
    this.#core = core;
    this.#operations = new Operations("latch", name);
    this.#settings = latchSettings(core, this.#operations.where, options);
    this.#store = new LatchStore(core, name, this.#settings);
  }

  /**
   * Counts down, once per round for each `id`; without one it counts each time. Safe to repeat. The first begins the round.
   * Cost: one script.
   */
  countDown(id?: string): Promise<LatchCountDownResult> {
    return this.#operations.run("countDown", this.name, async () => {
      const { runtime } = this.#core.driver;
      const who = id === undefined ? runtime.randomUUID() : checkedId(id);
      const counted = await this.#store.countDown(who, runtime.randomBytes(6).toString("base64url"));
      return { status: "ok", ...counted };
    });
  }

  /**
   * Waits until the round is open, and returns which one that was. Where none has begun it waits for the next.
   * Cost: SUBSCRIBE, one script, and one when it opens and per half minute.
   * @throws TimeoutError when it was not open within `timeout`, AbortedError when `signal` aborted, HoldfastError with code
   * `CONFLICT` when the round was reset before it was open
   */
  wait(options?: LatchWaitOptions): Promise<{ readonly round: number }> {
    return this.#operations.run("wait", this.name, async () => {
      const { waitMs, signal } = waiting(this.#operations.where, options);
      const opener = new Opener(this.#store, this.#settings.timeoutMs);
      const patience = new Patience({
        runtime: this.#core.driver.runtime,
        name: this.name,
        label: this.#operations.where,
        op: opener.op,
        waitMs,
        signal,
        isClosed: () => this.#core.isClosing,
        inVain: () => `${opener.isKnown ? "still closed" : "the server does not answer,"} after ${waitMs} ms`,
      });
      if (patience.isCalledOff) throw patience.error();
      const follower = new Follower(this.#core, opener, undefined);
      try {
        const { value } = await patience.within(follower.next());
        // Without one it was the handle that was closed.
        if (value === undefined) throw patience.error();
        if (value.status === "reset") throw this.#wasReset();
        return { round: value.round };
      } finally {
        void follower.close();
      }
    });
  }

  /**
   * Ends the round, open or not, and begins the next one. Of several that reset one round, one does.
   * Cost: two scripts.
   */
  reset(): Promise<{ readonly round: number }> {
    return this.#operations.run("reset", this.name, async () => {
      const stored = await this.#store.read("latch.reset");
      return { round: await this.#store.reset(stored?.round ?? 0) };
    });
  }

  /** Returns how far the round is. Cost: one script. */
  info(): Promise<LatchInfo> {
    return this.#operations.run("info", this.name, async () => {
      const { count: expected } = this.#settings;
      const stored = await this.#store.read("latch.info");
      const { round, count, remaining } = stored ?? { round: 0, count: expected, remaining: expected };
      return { round, count, remaining, open: remaining === 0 };
    });
  }

  #wasReset(): HoldfastError {
    const message = `${this.#operations.where}: the round was reset before it was open`;
    return new HoldfastError("CONFLICT", message, { op: "latch.wait", key: this.name });
  }
}
