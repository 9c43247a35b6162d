/** The names of a queue partition's keys, all of them in one slot. */
import type { GroupKeys } from "../core/keyspace/keyspace.ts";

/** Of one worker: its incarnation, and the key it is woken by. */
export interface WorkerKeys {
  readonly worker: string;
  readonly active: string;
  readonly wakeKey: string;
  /** Woken when a job that it runs is cancelled. */
  readonly cancelKey: string;
}

export class QueueKeys {
  readonly lanes: { readonly urgent: string; readonly normal: string; readonly low: string };
  readonly jobs: string;
  readonly meta: string;
  readonly delayed: string;
  readonly dead: string;
  readonly workers: string;
  readonly idle: string;
  readonly control: string;
  /** Of groups, as text. */
  readonly limits: string;
  /** Groups with jobs, limits or a pause. */
  readonly known: string;
  readonly unique: string;
  readonly windows: string;
  /** Jobs that wait for others, and for how many. */
  readonly blocked: string;
  /** What is to be told to jobs of other partitions and queues. */
  readonly letters: string;
  /** Of all that was ever counted; in the first partition. */
  readonly totals: string;
  /** What the keys of a minute's counts begin with. */
  readonly minutes: string;
  /** Jobs that wait for the end of the one that has their unique key. */
  readonly reruns: string;
  /** Ids that lie in lanes although their jobs were removed or moved. */
  readonly ghosts: string;
  /** Jobs that ended well and are kept, by when, and what is known of them. */
  readonly completed: string;
  readonly kept: string;
  /** What happened to jobs; that it is to be noted, and how much of it; that readers wait for more. */
  readonly events: string;
  readonly eventsMax: string;
  readonly watched: string;
  /** What the keys of outcomes begin with, in front of a job's id. */
  readonly results: string;
  readonly #keys: GroupKeys;

  constructor(keys: GroupKeys) {
    this.#keys = keys;
    this.lanes = { urgent: keys.part("high"), normal: keys.part("normal"), low: keys.part("low") };
    this.jobs = keys.part("jobs");
    this.meta = keys.part("meta");
    this.delayed = keys.part("delayed");
    this.dead = keys.part("dead");
    this.workers = keys.part("workers");
    this.idle = keys.part("idle");
    this.control = keys.part("control");
    this.limits = keys.part("limits");
    this.known = keys.part("known");
    this.unique = keys.part("unique");
    this.windows = keys.part("windows");
    this.blocked = keys.part("blocked");
    this.letters = keys.part("letters");
    this.totals = keys.part("totals");
    this.minutes = keys.part("minute:");
    this.reruns = keys.part("reruns");
    this.ghosts = keys.part("ghosts");
    this.completed = keys.part("completed");
    this.kept = keys.part("kept");
    this.events = keys.part("events");
    this.eventsMax = keys.part("events:max");
    this.watched = keys.part("watched");
    this.results = keys.part("result:");
  }

  /** What routes to the partition's slot, and what encrypted values are bound to. */
  get queue(): string {
    return this.#keys.key;
  }

  /** The key by which a job's outcome is kept and its waiters are woken. */
  result(id: string): string {
    return this.results + id;
  }

  /** What a job waits for, or has waited for. */
  children(id: string): string {
    return this.#keys.part("children", id);
  }

  /** What a job has done already: see `steps/steps.ts`. */
  steps(id: string): string {
    return this.#keys.part("steps", id);
  }

  /** The jobs of a flow that are still to be added. */
  plan(name: string): string {
    return this.#keys.part("plan", name);
  }

  /** What a job is to wait for, while a large plan is written down. */
  staged(name: string): string {
    return this.#keys.part("staged", name);
  }

  /** Who a worker is, and what of its counts has arrived. */
  seen(worker: string): string {
    return this.#keys.part("seen", worker);
  }

  /** That a batch is open, or was closed a short time ago. */
  batch(name: string): string {
    return this.#keys.part("batch", name);
  }

  /** Of a call that adds. */
  operation(call: string): string {
    return this.#keys.part("op", call);
  }

  /** A key of the user's own, beside the queue's. */
  user(name: string): string {
    return this.#keys.part("user", name);
  }

  worker(worker: string): WorkerKeys {
    return {
      worker,
      active: this.#keys.part("active", worker),
      wakeKey: this.#keys.part("wake", worker),
      cancelKey: this.#keys.part("cancel", worker),
    };
  }
}
