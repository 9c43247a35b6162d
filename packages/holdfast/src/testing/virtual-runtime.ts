/** Time and chance of a handle whose process is virtual. */
import type { SeededRandom } from "holdfast-embedded";
import type { Runtime, Timer } from "../base/runtime.ts";
import type { VirtualProcess, VirtualTimer } from "./virtual-process.ts";

/** As Node's timers do, which know no shorter delay. */
const SHORTEST_DELAY_MS = 1;

export class VirtualRuntime implements Runtime {
  readonly #process: VirtualProcess;
  readonly #random: SeededRandom;
  readonly #defer: (task: () => void) => void;

  /** @param defer calls a task as `setImmediate` does */
  constructor(process: VirtualProcess, random: SeededRandom, defer: (task: () => void) => void) {
    this.#process = process;
    this.#random = random;
    this.#defer = defer;
  }

  now(): number {
    return this.#process.now();
  }

  setTimeout(task: () => void, ms: number): Timer {
    return this.#process.setTimer(delayOf(ms), task);
  }

  clearTimeout(timer: Timer | undefined): void {
    (timer as VirtualTimer | undefined)?.cancel();
  }

  setInterval(task: () => void, ms: number): Timer {
    const delayMs = delayOf(ms);
    const fire = (): void => {
      const next = this.#process.setTimer(delayMs, fire);
      timer.moved(() => next.cancel());
      task();
    };
    const timer = this.#process.setTimer(delayMs, fire);
    return timer;
  }

  clearInterval(timer: Timer | undefined): void {
    this.clearTimeout(timer);
  }

  setImmediate(task: () => void): void {
    this.#defer(task);
  }

  random(): number {
    return this.#random.fraction();
  }

  randomBytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.#random.integer(0, 255)));
  }

  /** Version 4, of RFC 9562. */
  randomUUID(): string {
    const bytes = this.randomBytes(16);
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }
}

function delayOf(ms: number): number {
  return ms >= SHORTEST_DELAY_MS ? ms : SHORTEST_DELAY_MS;
}
