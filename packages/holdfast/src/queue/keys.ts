/** The names of a queue's keys, all of them in one slot. */
import type { GroupKeys } from "../core/keyspace/keyspace.ts";

/** Of one worker: its incarnation, and the key it is woken by. */
export interface WorkerKeys {
  readonly worker: string;
  readonly active: string;
  readonly wakeKey: string;
}

export class QueueKeys {
  readonly lanes: { readonly urgent: string; readonly normal: string; readonly low: string };
  readonly jobs: string;
  readonly meta: string;
  readonly crashes: string;
  readonly delayed: string;
  readonly dead: string;
  readonly workers: string;
  readonly idle: string;
  readonly paused: string;
  readonly unique: string;
  readonly windows: string;
  readonly #keys: GroupKeys;

  constructor(keys: GroupKeys) {
    this.#keys = keys;
    this.lanes = { urgent: keys.part("high"), normal: keys.part("normal"), low: keys.part("low") };
    this.jobs = keys.part("jobs");
    this.meta = keys.part("meta");
    this.crashes = keys.part("crashes");
    this.delayed = keys.part("delayed");
    this.dead = keys.part("dead");
    this.workers = keys.part("workers");
    this.idle = keys.part("idle");
    this.paused = keys.part("paused");
    this.unique = keys.part("unique");
    this.windows = keys.part("windows");
  }

  /** What routes to the queue's slot, and what encrypted values are bound to. */
  get queue(): string {
    return this.#keys.key;
  }

  /** The key by which a job's outcome is kept and its waiters are woken. */
  result(id: string): string {
    return this.#keys.part("result", id);
  }

  /** Of a call that adds. */
  operation(call: string): string {
    return this.#keys.part("op", call);
  }

  worker(worker: string): WorkerKeys {
    return { worker, active: this.#keys.part("active", worker), wakeKey: this.#keys.part("wake", worker) };
  }
}
