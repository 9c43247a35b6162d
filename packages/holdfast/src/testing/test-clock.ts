/** The time of a test server and of the handles connected to it. */
import type { Clock, VirtualClock } from "holdfast-embedded";
import { HoldfastError } from "../base/errors.ts";
import { type Duration, toMs } from "../base/options.ts";
import { systemRuntime } from "../base/runtime.ts";

export interface TestClock {
  /** Milliseconds since the epoch, as the server sees it. */
  now(): number;
  /**
   * Moves virtual time forward; every timer of the server and of its handles that is due on the way fires at its own time,
   * and what follows from it has happened before the next does. Resolves when all is quiet. Rejects where time is real.
   */
  advance(by: Duration): Promise<void>;
}

export class RealTime implements TestClock {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with the work. */
  async during(work: Promise<unknown>): Promise<void> {
    await work;
  }

  now(): number {
    return this.#clock.nowMs();
  }

  advance(): Promise<void> {
    const message = 'the clock of this test server is real: make it with createTestServer({ clock: "virtual" })';
    return Promise.reject(new HoldfastError("INVALID_ARGUMENT", message, { op: "clock.advance" }));
  }
}

export class VirtualTime implements TestClock {
  readonly #clock: VirtualClock;
  /** Turns of the event loop that somebody waits for. */
  #turns = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.nowMs();
  }

  async advance(by: Duration): Promise<void> {
    const targetMs = this.#clock.exactMs + toMs("by", by, 0);
    await this.#quiet();
    while (this.#clock.fireNext(targetMs)) await this.#quiet();
    this.#clock.advance(targetMs - this.#clock.exactMs);
  }

  /** Lets time run for as long as the work takes. */
  async during(work: Promise<unknown>): Promise<void> {
    const running = new Set([work]);
    const end = (): void => running.clear();
    work.then(end, end);
    for (await this.#quiet(); running.size > 0; await this.#quiet()) this.#clock.fireNext();
    await work;
  }

  /** A `setImmediate` takes no virtual time, so that calls are answered without it. */
  readonly defer = (task: () => void): void => {
    this.#turns += 1;
    systemRuntime.setImmediate(() => {
      this.#turns -= 1;
      task();
    });
  };

  /** Promises have been followed up, and nobody waits for a `setImmediate` any more. */
  async #quiet(): Promise<void> {
    do await new Promise<void>((resolve) => systemRuntime.setImmediate(resolve));
    while (this.#turns > 0);
  }
}
