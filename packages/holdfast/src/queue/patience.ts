/** How a worker goes on while something does not work. */
import { HoldfastError, isOutage } from "../base/errors.ts";
import { type Runtime, sleep } from "../base/runtime.ts";

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

const warned = new Set<string>();

/** What no waiting will mend (a right that is missing, a script that fails) has nobody to reject, so it is a warning, once. */
export function warnUnlessOutage(error: unknown): void {
  const code = error instanceof HoldfastError ? error.code : "INTERNAL";
  if (isOutage(error) || code === "TIMEOUT" || code === "CLOSED" || warned.has(code)) return;
  warned.add(code);
  const message = error instanceof Error ? error.message : String(error);
  process.emitWarning(`a queue's worker goes on trying: ${message}`, { code: "HOLDFAST_QUEUE" });
}

/** It is nobody's outcome any more. */
export function warnAfterCommit(id: string, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.emitWarning(`the handler of job ${id} failed after it had committed: ${message}`, { code: "HOLDFAST_QUEUE" });
}
