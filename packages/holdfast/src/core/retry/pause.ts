/** How something in the background goes on while the server does not answer. */
import { type Runtime, sleep } from "../../base/runtime.ts";

const FIRST_MS = 100;
const LONGEST_MS = 2_000;

/** Longer and longer pauses, with jitter. */
export class Pause {
  readonly #runtime: Runtime;
  readonly #stop: AbortSignal;
  #ms = FIRST_MS;

  constructor(runtime: Runtime, stop: AbortSignal) {
    this.#runtime = runtime;
    this.#stop = stop;
  }

  async next(): Promise<void> {
    await sleep(this.#runtime, this.#ms * (0.5 + this.#runtime.random() / 2), this.#stop);
    this.#ms = Math.min(this.#ms * 2, LONGEST_MS);
  }
}
