/**
 * Dead letters that were put back to an ordered subscription, for the owner of their partition: handled in the order in which they were put back, each of them behind what
 * is in work of its key, and before what is read later. They are settled by the next commit, so what a former owner says of them does not count.
 */
import type { Runtime } from "../../base/runtime.ts";
import type { Frame } from "../../core/log/frame.ts";
import { Pause } from "../../core/retry/pause.ts";
import type { DeadLetterStore } from "../dead/store.ts";
import type { Scheduler } from "./scheduler.ts";
import { type Share, Work } from "./share.ts";

const PAGE = 100;

export interface LettersParts {
  readonly runtime: Runtime;
  readonly share: Share;
  readonly store: DeadLetterStore;
  /** The most that are in work. */
  readonly window: number;
  /** Aborts when nothing is to be read any more. */
  readonly stopped: AbortSignal;
  /** False: it counts as handled. */
  readonly isWanted: (frame: Frame) => boolean;
  readonly laneOf: (frame: Frame) => string | undefined;
  readonly scheduler: Scheduler;
  readonly onFault: (error: unknown) => void;
}

export class Letters {
  readonly #parts: LettersParts;
  /** Up to here they were put back. */
  #newest = 0;
  /** Up to here they were read. */
  #read = 0;
  #reading: Promise<void> | undefined;

  constructor(parts: LettersParts) {
    this.#parts = parts;
  }

  /** Reads what was put back up to here, as far as there is room. Never rejects. */
  look(newest: number): Promise<void> {
    this.#newest = Math.max(this.#newest, newest);
    if (this.#isThrough) return Promise.resolve();
    // One that has nothing to do is over before it is assigned.
    this.#reading ??= this.#work().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  /** One may be finished. */
  goOn(): void {
    if (!this.#isThrough && this.#reading === undefined) void this.look(0);
  }

  get #isThrough(): boolean {
    const { share, window } = this.#parts;
    return this.#read >= this.#newest || share.letters >= window || share.isStopped;
  }

  async #work(): Promise<void> {
    const { runtime, stopped, onFault } = this.#parts;
    let pause = new Pause(runtime, stopped);
    while (!this.#isThrough) {
      try {
        await this.#page();
        pause = new Pause(runtime, stopped);
      } catch (error) {
        onFault(error);
        await pause.next();
      }
    }
  }

  async #page(): Promise<void> {
    const { share, store, window, isWanted, laneOf, scheduler } = this.#parts;
    const { partition, fence } = share;
    const isFirst = this.#read === 0;
    const limit = Math.min(PAGE, window - share.letters);
    const letters = await store.redriven(partition, fence, this.#read, limit);
    if (share.isStopped) return;
    for (const { name, place, pack } of letters) {
      this.#read = place;
      const letter = { name, place: String(place) };
      const frame = pack?.frame(pack.first);
      if (pack === undefined || frame === undefined || !isWanted(frame)) share.skipLetter(letter);
      else scheduler.add(new Work(share, pack, pack.first, laneOf(frame), letter));
    }
    scheduler.look();
    if (letters.length === limit) return;
    this.#read = Math.max(this.#read, this.#newest);
    if (isFirst) share.forgetLetters((name) => letters.some((letter) => letter.name === name));
  }
}
