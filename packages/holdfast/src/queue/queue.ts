/**
 * A queue of jobs that any process adds to and any worker takes from.
 *
 * What it promises, while the server keeps its data: a job that was accepted is run until it succeeds or is dead, at least once; it is run again only
 * where its run ended badly, or where its end could not be told to the server; the acknowledgement of a run that is over changes nothing
 * (`job.fence`); in one lane, and with one worker of concurrency 1, jobs run in the order in which they were added. Times are the server's.
 * While the server is away `add` waits for it until its deadline and then rejects; a worker calls its runs off when its lease is over, and goes on
 * by itself when a server answers again.
 */
import { AbortedError, InvalidArgumentError, TimeoutError } from "../base/errors.ts";
import { checkSignal } from "../base/abort.ts";
import { type Duration, listOf, type OptionNames, parseOptions, toTimerMs } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import { observed } from "../core/observe/observe.ts";
import { Additions, MAX_ADDITIONS } from "./additions.ts";
import { QueueDeadLetters } from "./dead-letters.ts";
import { Endings } from "./endings.ts";
import type { QueueFailure } from "./failure.ts";
import { QueueKeys } from "./keys.ts";
import {
  ADD_MANY_OPTIONS,
  ADD_OPTIONS,
  addSettings,
  checkName,
  QUEUE_OPTIONS,
  type QueueAddManyOptions,
  type QueueAddOptions,
  type QueueOptions,
  queueSettings,
  type QueueSettings,
  type QueueWorkOptions,
  WORK_OPTIONS,
  workSettings,
} from "./options.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import { QueueStore } from "./store.ts";
import { type Outcome, queueValues, type QueueValues } from "./values.ts";
import { type QueueHandler, QueueWorker } from "./worker.ts";

/** A job as its adder sees it. */
export interface QueueAddResult<Result> {
  /** `duplicate`: not added, because the job `id` has the same id or unique key. */
  readonly status: "ok" | "duplicate";
  readonly id: string;
  /** As `queue.result(id)`. */
  result(options?: QueueResultOptions): Promise<QueueResult<Result>>;
}

export interface QueueResultOptions {
  /** @default "30s" */
  readonly timeout?: Duration;
  readonly signal?: AbortSignal;
}

/** `missing`: there is no such job, and no result of one (any more, or because it was added without `result: true`). */
export type QueueResult<Result> = Outcome<Result> | { readonly status: "missing" };

export interface QueueCounts {
  /** In their lanes, those among them that were removed and whose turn has not come yet included. */
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  readonly dead: number;
  /** That have not ended or lost their lease. */
  readonly workers: number;
  readonly paused: boolean;
  /** How long the job that waits longest at the head of a lane has waited, in milliseconds; 0 where none waits. */
  readonly oldestMs: number;
}

export interface QueueJobInfo<Payload> {
  readonly id: string;
  readonly payload: Payload;
  /** `waiting` where it is neither delayed nor dead: it may be running just now. */
  readonly state: "waiting" | "delayed" | "dead";
  readonly addedAt: number;
  /** Of a delayed one: when it is due, in milliseconds since 1970. */
  readonly dueAt: number | undefined;
  readonly failures: number;
  readonly crashes: number;
  readonly history: readonly QueueFailure[];
}

const RESULT_OPTIONS: OptionNames<QueueResultOptions> = { timeout: true, signal: true };
/** A wake-up may be lost. */
const RESULT_POLL_MS = 2_000;

/**
 * @example
 * const emails = hf.queue<Email>("emails", { attempts: 8 });
 * await emails.add({ to: "ada@example.com" }, { delay: "5m" });
 * await using worker = emails.work((job) => send(job.payload, { signal: job.signal }), { concurrency: 20 });
 */
export class Queue<Payload, Result = unknown> {
  readonly name: string;
  /** Jobs that were given up. */
  readonly dead: QueueDeadLetters<Payload>;
  /** As messages name it. */
  readonly #where: string;
  readonly #core: Core;
  readonly #settings: QueueSettings;
  readonly #keys: QueueKeys;
  readonly #store: QueueStore;
  readonly #additions: Additions;
  readonly #values: QueueValues<Payload, Result>;

  constructor(core: Core, name: string, options?: QueueOptions<Payload, Result>) {
    this.name = name;
    this.#where = `queue "${name}"`;
    this.#core = core;
    const keys = new QueueKeys(core.keys.group("queue", name));
    this.#keys = keys;
    const [settings, values] = parseOptions(
      this.#where,
      options,
      QUEUE_OPTIONS,
      (given) => [queueSettings(given as QueueOptions<never, never>), queueValues(core, keys.queue, given)] as const,
    );
    this.#settings = settings;
    this.#values = values;
    this.#store = new QueueStore(core, keys, settings);
    this.#additions = new Additions(core, keys, settings.timeoutMs);
    this.dead = new QueueDeadLetters(this.#store, values);
  }

  /**
   * Adds a job. A repetition after a lost answer adds nothing.
   * Cost: one script; calls of the same tick share it, 200 at a time.
   */
  add(payload: Payload, options?: QueueAddOptions): Promise<QueueAddResult<Result>> {
    return observed("queue.add", undefined, async () => {
      const settings = parseOptions(this.#where, options, ADD_OPTIONS, addSettings);
      const record = encodeRecord(settings, this.#values.payload.encode(payload, this.#values.context));
      const { status, id } = await this.#additions.add({ id: settings.id, settings, record });
      return this.#added(status, id);
    });
  }

  /** As `add` for each of them, with the same options; in their order. Cost: one script per 200 jobs. */
  addMany(payloads: Iterable<Payload>, options?: QueueAddManyOptions): Promise<QueueAddResult<Result>[]> {
    return observed("queue.addMany", undefined, async () => {
      const jobs = listOf("payloads", payloads, "payloads");
      parseOptions(this.#where, options, ADD_MANY_OPTIONS, addSettings);
      const task = (chunk: readonly Payload[]) => Promise.all(chunk.map((payload) => this.add(payload, options)));
      return inChunks(jobs, task, { size: MAX_ADDITIONS });
    });
  }

  /** Runs `handler` for the jobs of this queue until the worker, or the handle, is closed. Cost: one script per round of acknowledgements and claims. */
  work(handler: QueueHandler<Payload, Result>, options?: QueueWorkOptions): QueueWorker<Payload, Result> {
    if (typeof handler !== "function")
      throw new InvalidArgumentError("handler", "a function", handler, { where: this.#where });
    const settings = parseOptions(this.#where, options, WORK_OPTIONS, workSettings);
    const { runTimeoutMs, timeoutMs } = this.#settings;
    const [core, store, values] = [this.#core, this.#store, this.#values];
    const keys = this.#keys.worker(core.driver.runtime.randomUUID());
    const endings = new Endings(core, store, values, this.#settings, keys);
    const terms = { ...settings, runTimeoutMs, timeoutMs };
    return new QueueWorker({ core, store, values, endings, keys, terms, handler });
  }

  /**
   * Waits for the outcome of a job that was added with `result: true`. Any number of processes may.
   * Cost: GET, again at the wake-up; one script more every two seconds.
   * @throws TimeoutError when the job has not ended within `timeout`
   */
  result(id: string, options?: QueueResultOptions): Promise<QueueResult<Result>> {
    return observed("queue.result", id, async () => {
      checkName("id", id);
      const { timeoutMs, signal } = parseOptions(this.#where, options, RESULT_OPTIONS, resultSettings);
      const { runtime } = this.#core.driver;
      const deadline = runtime.now() + timeoutMs;
      const waiter = await this.#core.wakeups.join(this.#keys.result(id));
      try {
        for (;;) {
          const outcome = await this.#outcome(id);
          if (outcome !== undefined) return outcome;
          const leftMs = deadline - runtime.now();
          if (leftMs <= 0)
            throw new TimeoutError(`queue "${this.name}": job ${id} has not ended in time`, {
              op: "queue.result",
              key: id,
            });
          await waiter.next(Math.min(leftMs, RESULT_POLL_MS), signal);
          if (signal?.aborted === true)
            throw new AbortedError("the caller stopped waiting for the result", {
              op: "queue.result",
              key: id,
              cause: signal.reason,
            });
        }
      } finally {
        waiter.leave();
      }
    });
  }

  /** Returns a job that is not over, or undefined. Cost: one script. */
  get(id: string): Promise<QueueJobInfo<Payload> | undefined> {
    return observed("queue.get", id, async () => {
      const found = await this.#store.find(checkName("id", id));
      if (found.status === "missing") return undefined;
      const record = decodeRecord(found.record);
      const info = found.meta === null ? undefined : this.#values.failures.decode(found.meta, this.#values.context);
      return {
        id,
        payload: this.#values.payload.decode(record.payload, this.#values.context),
        state: found.deadMs > 0 ? "dead" : found.dueMs > 0 ? "delayed" : "waiting",
        addedAt: record.addedAt,
        dueAt: found.dueMs > 0 ? found.dueMs : undefined,
        failures: info?.failures ?? 0,
        crashes: found.crashes,
        history: info?.last ?? [],
      };
    });
  }

  /** Removes a job that is not running; `busy`: it runs, and stays. Idempotent. Cost: two scripts and a ZRANGE. */
  remove(id: string): Promise<{ readonly status: "ok" | "missing" | "busy" }> {
    return observed("queue.remove", id, async () => {
      const found = await this.#store.find(checkName("id", id));
      if (found.status === "missing") return { status: "missing" };
      return { status: await this.#store.remove(id, decodeRecord(found.record).uniqueKey) };
    });
  }

  /** No worker claims any more jobs, until `resume`; those that run go on. Idempotent. Cost: SET. */
  pause(): Promise<void> {
    return observed("queue.pause", undefined, () => this.#store.pause());
  }

  /** Idempotent. Cost: DEL, ZRANGE and a PUBLISH per worker that listens. */
  resume(): Promise<void> {
    return observed("queue.resume", undefined, () => this.#store.resume());
  }

  /** Counts the jobs in each state at one consistent moment. Cost: one script. */
  counts(): Promise<QueueCounts> {
    return observed("queue.counts", undefined, async () => {
      const { urgent, normal, low, delayed, dead, total, workers, paused, oldestMs, nowMs } =
        await this.#store.counts();
      const waiting = urgent + normal + low;
      return {
        waiting,
        delayed,
        active: Math.max(total - waiting - delayed - dead, 0),
        dead,
        workers,
        paused,
        oldestMs: oldestMs === 0 ? 0 : Math.max(nowMs - oldestMs, 0),
      };
    });
  }

  #added(status: "ok" | "duplicate", id: string): QueueAddResult<Result> {
    return { status, id, result: (options) => this.result(id, options) };
  }

  async #outcome(id: string): Promise<QueueResult<Result> | undefined> {
    const bytes = await this.#store.outcome(id, undefined);
    if (bytes !== null) {
      const { value, message = "" } = this.#values.outcome.decode(bytes, this.#values.context);
      if (value === undefined) return { status: "dead", message };
      return { status: "ok", value: this.#values.result.decode(Buffer.from(value), this.#values.context) };
    }
    const job = await this.#store.find(id);
    if (job.status === "missing") {
      // It may have ended between the two questions.
      const again = await this.#store.outcome(id, undefined);
      return again === null ? { status: "missing" } : undefined;
    }
    if (job.deadMs === 0) return undefined;
    const info = job.meta === null ? undefined : this.#values.failures.decode(job.meta, this.#values.context);
    return {
      status: "dead",
      message: info?.last.at(-1)?.message ?? `${job.crashes} of its workers died while they ran it`,
    };
  }
}

function resultSettings({ timeout = "30s", signal }: QueueResultOptions): {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
} {
  return { timeoutMs: toTimerMs("timeout", timeout, 0), signal: checkSignal(signal) };
}
