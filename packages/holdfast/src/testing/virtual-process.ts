/**
 * A process as it sees time when time is virtual: its clock may run faster or slower than the others', and it may stand still
 * for a while, as under SIGSTOP. Time goes on for a process that stands still; what was due meanwhile happens when it goes on.
 */
import type { VirtualClock } from "holdfast-embedded";
import type { Timer } from "../base/runtime.ts";

export class VirtualTimer implements Timer {
  #cancel: () => void;

  constructor(cancel: () => void) {
    this.#cancel = cancel;
  }

  /** Its task waits for another moment now. */
  moved(cancel: () => void): void {
    this.#cancel = cancel;
  }

  cancel(): void {
    this.#cancel();
  }

  /** Virtual time keeps nothing alive. */
  unref(): this {
    return this;
  }
}

export class VirtualProcess {
  readonly name: string;
  readonly #clock: VirtualClock;
  readonly #bornMs: number;
  readonly #speed: number;
  #awakeAtMs = 0;
  #dead = false;

  /** @param speed seconds of its clock per second */
  constructor(name: string, clock: VirtualClock, speed: number = 1) {
    this.name = name;
    this.#clock = clock;
    this.#bornMs = clock.exactMs;
    this.#speed = speed;
  }

  /** Milliseconds on its own clock since it was made. */
  now(): number {
    return (this.#clock.exactMs - this.#bornMs) * this.#speed;
  }

  /** Calls `task` after `ms` on its own clock. */
  setTimer(ms: number, task: () => void): VirtualTimer {
    return this.deliver(ms / this.#speed, task);
  }

  /** Calls `task` after `ms` of true time, for what comes from outside. */
  deliver(ms: number, task: () => void): VirtualTimer {
    const fire = (): void => {
      if (this.#dead) return;
      const asleepMs = this.#awakeAtMs - this.#clock.exactMs;
      if (asleepMs <= 0) return task();
      const again = this.#clock.setTimer(asleepMs, fire);
      timer.moved(() => again.cancel());
    };
    const first = this.#clock.setTimer(ms, fire);
    const timer = new VirtualTimer(() => first.cancel());
    return timer;
  }

  /** Stands still for `ms` of true time. */
  pause(ms: number): void {
    this.#awakeAtMs = Math.max(this.#awakeAtMs, this.#clock.exactMs + ms);
  }

  get isDead(): boolean {
    return this.#dead;
  }

  /** Nothing happens in it any more. */
  kill(): void {
    this.#dead = true;
  }
}
