/**
 * As whom a handle appends. A log remembers each producer's last pack for ten minutes, so whoever appends takes one that is free: objects that are
 * made for one message each leave one record, and not one each.
 */
import type { Runtime } from "../../base/runtime.ts";

export interface LogProducer {
  readonly id: string;
  /** Of its last pack, rising. */
  number: number;
}

/** Logs whose producers are remembered, and producers of each. */
const MAX_LOGS = 1_000;
const MAX_FREE = 16;

export class LogProducers {
  readonly #runtime: Runtime;
  /** By log and script; the one that was used last is the last. */
  readonly #free = new Map<string, LogProducer[]>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Nobody else has it until it is given back. */
  take(key: string): LogProducer {
    return this.#free.get(key)?.pop() ?? { id: this.#runtime.randomBytes(9).toString("base64url"), number: 0 };
  }

  giveBack(key: string, producer: LogProducer): void {
    const free = this.#free.get(key) ?? [];
    this.#free.delete(key);
    this.#free.set(key, free);
    if (free.length < MAX_FREE) free.push(producer);
    if (this.#free.size > MAX_LOGS) this.#free.delete(this.#free.keys().next().value!);
  }
}
