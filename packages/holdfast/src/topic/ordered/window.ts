/**
 * What of one partition was read and is not committed: which offsets are finished, and the highest one below which none is missing.
 * Finished ones above a message that is not are remembered here only: after a crash they are delivered again.
 */
import { Fifo } from "./fifo.ts";

/** Messages that were published in one go. */
interface Stretch {
  readonly first: number;
  readonly last: number;
  readonly at: number;
}

export class Window {
  readonly size: number;
  /** A ring: one byte for each offset from `passed` on. */
  readonly #finished: Uint8Array;
  readonly #mask: number;
  #passed: number;
  #read: number;
  /** The server knows that it and all below are finished. */
  committed: number;
  /** Of what is not committed, oldest first. */
  readonly #stretches = new Fifo<Stretch>();

  /** @param cursor the last offset that is committed */
  constructor(size: number, cursor: number) {
    this.size = size;
    this.#finished = new Uint8Array(2 ** Math.ceil(Math.log2(size + 1)));
    this.#mask = this.#finished.length - 1;
    this.#passed = cursor;
    this.#read = cursor;
    this.committed = cursor;
  }

  /** It and all below are finished. */
  get passed(): number {
    return this.#passed;
  }

  /** The highest offset that was read. */
  get read(): number {
    return this.#read;
  }

  /** How many more may be read. */
  get room(): number {
    return Math.max(0, this.size - (this.#read - this.committed));
  }

  /** The messages that are read next. */
  stretch(first: number, last: number, at: number): void {
    this.#stretches.push({ first, last, at });
  }

  /** The next message is read. Needs room. */
  begin(): number {
    this.#read += 1;
    this.#finished[this.#read & this.#mask] = 0;
    return this.#read;
  }

  finish(offset: number): void {
    this.#finished[offset & this.#mask] = 1;
    if (offset !== this.#passed + 1) return;
    do this.#passed += 1;
    while (this.#passed < this.#read && this.#finished[(this.#passed + 1) & this.#mask] === 1);
  }

  /** There is nothing to read up to this offset. All that was read must be finished. */
  jump(to: number): void {
    this.#stretches.clear();
    this.#read = to;
    this.#passed = to;
  }

  /** When the message at `passed` was published; 0 where that is not known. Forgets what is older. */
  passedAt(): number {
    for (;;) {
      const stretch = this.#stretches.first;
      if (stretch === undefined) return 0;
      if (stretch.first > this.#passed) return 0;
      if (stretch.last >= this.#passed) return stretch.at;
      this.#stretches.shift();
    }
  }
}
