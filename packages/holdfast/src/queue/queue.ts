/**
 * A queue of jobs that any process adds to and any worker takes from.
 *
 * What it promises, while the server keeps its data: a job that was accepted is run until it succeeds or is dead, at least once; it is run again only
 * where its run ended badly, or where its end could not be told to the server; the acknowledgement of a run that is over changes nothing
 * (`job.fence`); in one lane, and with one worker of concurrency 1, jobs run in the order in which they were added. Times are the server's.
 * While the server is away `add` waits for it until its deadline and then rejects; a worker calls its runs off when its lease is over, and goes on
 * by itself when a server answers again.
 */
import { types } from "node:util";
import { InvalidArgumentError } from "../base/errors.ts";
import { parseOptions } from "../base/options.ts";
import type { Core } from "../core/core.ts";
import type { Entered } from "./additions.ts";
import type { QueueResultOptions } from "./jobs/results.ts";
import type { QueueAddResult } from "./add-result.ts";
import {
  checkGroup,
  CHILD_OPTIONS,
  type QueueAddManyOptions,
  type QueueAddOptions,
  type QueueChildOptions,
} from "./add-options.ts";
import type { QueueOptions } from "./options.ts";
import type { QueueWorkManyOptions, QueueWorkOptions } from "./work-options.ts";
import { BATCH_OPTIONS, batchSettings, QueueBatch, type QueueBatchOptions } from "./flows/batch.ts";
import type { QueueChild } from "./flows/child.ts";
import { CLAIM_OPTIONS, Claims, claimSettings, type QueueClaimOptions } from "./manual/claims.ts";
import type { QueueHeldJob } from "./manual/held-job.ts";
import { QueueSchedules } from "./schedules/schedules.ts";
import { SharedTicker } from "./schedules/ticker.ts";
import type { QueueFreeName, QueueHandler, QueueHandlers, QueueJobName, QueuePayloadOf } from "./names.ts";
import type { QueueWorker } from "./worker.ts";
import type { QueueManyHandler } from "./workers/gatherings.ts";
import type { QueueDeathOptions } from "./workers/deaths.ts";
import type { QueueLimiterOptions } from "./workers/limiting.ts";
import type { QueueHandling, QueueWithOptions } from "./workers/handling.ts";
import { MIDDLEWARE_OPTIONS, MiddlewareChain, type QueueMiddleware } from "./workers/middleware.ts";
import { QueueControl } from "./control.ts";
import { Entrance } from "./entrance.ts";
import { type QueueParts, queueParts } from "./parts.ts";
import { WorkerFactory } from "./workers/factory.ts";

/**
 * @example
 * const emails = hf.queue<Email>("emails", { attempts: 8 });
 * await emails.add({ to: "ada@example.com" }, { delay: "5m" });
 * await using worker = emails.work((job) => send(job.payload, { signal: job.signal }), { concurrency: 20 });
 */
export class Queue<Payload, Result = unknown> extends QueueControl<Payload, Result> {
  /** Jobs that are added by the clock. */
  readonly schedules: QueueSchedules<Payload>;
  readonly #parts: QueueParts<Payload, Result>;
  readonly #middleware = new MiddlewareChain();
  readonly #entrance: Entrance<Payload, Result>;
  readonly #workers: WorkerFactory<Payload, Result>;
  readonly #claims: Claims;

  constructor(core: Core, name: string, options?: QueueOptions<Payload, Result>) {
    const parts = queueParts(core, name, options);
    super(parts);
    const { partitions, values, settings } = parts;
    this.#parts = parts;
    this.#claims = new Claims({ ...parts, queue: name });
    this.schedules = new QueueSchedules(core, name, { keys: partitions.first.keys, values, settings });
    const ticker = new SharedTicker((pollMs) => this.schedules.run({ poll: pollMs }));
    this.#entrance = new Entrance(parts, this.#middleware, (entered) => this.#added(entered));
    this.#workers = new WorkerFactory(parts, this.#middleware, ticker);
  }

  /**
   * Adds a job. A repetition after a lost answer adds nothing.
   * Cost: one script; calls of the same tick share it, 200 at a time.
   */
  add<Name extends QueueJobName<Payload>>(
    payload: QueuePayloadOf<Payload, Name>,
    options: QueueAddOptions<Name> & { readonly name: Name },
  ): Promise<QueueAddResult<Result>>;
  add(payload: Payload, options?: QueueAddOptions<QueueFreeName<Payload>>): Promise<QueueAddResult<Result>>;
  add(payload: Payload, options?: QueueAddOptions): Promise<QueueAddResult<Result>> {
    const add = () => this.#entrance.add(payload, options);
    return this.#parts.operations.run("add", undefined, add, ({ status, id }) => ({ status, id }));
  }

  /** As `add` for each of them, with the same options; in their order. Cost: one script per 200 jobs. */
  addMany(payloads: Iterable<Payload>, options?: QueueAddManyOptions): Promise<QueueAddResult<Result>[]> {
    const add = (payload: Payload) => this.add(payload, options as QueueAddOptions<never>);
    return this.#parts.operations.run("addMany", undefined, () => this.#entrance.addMany(payloads, options, add));
  }

  /**
   * A job that others wait for, to be given as one of the `children` of another job; it may have children itself, and be the child of several.
   * No I/O.
   */
  child(payload: Payload, options?: QueueChildOptions): QueueChild {
    const { where } = this.#parts.operations;
    return parseOptions(where, options, CHILD_OPTIONS, (given) => this.#entrance.child(payload, given));
  }

  /**
   * Jobs with a callback when all of them have ended: further jobs of this queue, each of which is added exactly once. Open until it is closed.
   * No I/O.
   */
  batch(callbacks: QueueBatchOptions<Payload>): QueueBatch {
    const { core, operations, partitions } = this.#parts;
    return parseOptions(operations.where, callbacks, BATCH_OPTIONS, (given) => {
      const settings = batchSettings(given, (payload) => this.encode(payload));
      return new QueueBatch(core, this.name, partitions, settings);
    });
  }

  /**
   * Runs handlers for the jobs of this queue, and ticks its schedules, until the worker, or the handle, is closed: one for all jobs, or one
   * for each name. Jobs of names that this worker does not know are left to workers that do, without the loss of an attempt.
   * A URL is that of a module whose default export is the handler (`QueueThreadHandler`): it runs in threads, for work that takes the processor.
   * Cost: one script per round of acknowledgements and claims, and one per `poll`.
   */
  work(
    handler: QueueHandler<Payload, Result> | QueueHandlers<Payload, Result> | URL,
    options?: QueueWorkOptions & QueueDeathOptions<Payload> & QueueLimiterOptions<Payload>,
  ): QueueWorker {
    return this.#workers.work(handler, options);
  }

  /**
   * Claims jobs to be run without a worker, in the order in which workers would: fewer, or none, where fewer wait. Each is to be completed, failed or released before
   * its lease is over; else it waits again, as that of a dead worker does. Of a paused queue there are none. Schedules are not ticked.
   * Cost: a script per partition, one more in each where there is none, and what `wait` asks again.
   */
  claim(options?: QueueClaimOptions): Promise<QueueHeldJob<Payload, Result>[]> {
    const { operations } = this.#parts;
    return operations.run("claim", undefined, async () => {
      const settings = parseOptions(operations.where, options, CLAIM_OPTIONS, claimSettings);
      return (await this.#claims.claim(settings)) as QueueHeldJob<Payload, Result>[];
    });
  }

  /** Returns the job that was claimed under this token, here or elsewhere, or undefined where it is not held by it any more. Cost: one script. */
  held(token: string): Promise<QueueHeldJob<Payload, Result> | undefined> {
    const find = () => this.#claims.held(token) as Promise<QueueHeldJob<Payload, Result> | undefined>;
    return this.#parts.operations.run("held", undefined, find);
  }

  /**
   * Puts middleware around what is added, and around runs, from now on; the first one is the outermost. It is this object's: workers and adders in
   * other processes have their own. No I/O.
   */
  use(...middleware: readonly QueueMiddleware<Payload, Result>[]): this {
    for (const each of middleware)
      parseOptions(this.#parts.operations.where, each, MIDDLEWARE_OPTIONS, (given) => this.#middleware.use(given));
    return this;
  }

  /**
   * This queue with a handler, for a worker that runs jobs of several queues: see `hf.work`. No I/O.
   * @example
   * await using worker = hf.work([emails.with(send, { weight: 3 }), images.with(resize)], { concurrency: 20 });
   */
  with(
    handler: QueueHandler<Payload, Result> | QueueHandlers<Payload, Result>,
    options?: QueueWithOptions & QueueDeathOptions<Payload> & QueueLimiterOptions<Payload>,
  ): QueueHandling {
    return this.#workers.with(handler, options, () => this.counts());
  }

  /**
   * As `work`, with a handler that is given many jobs at once, for what costs about the same for one as for many (a bulk insert, a push service).
   * Each is claimed, ended and retried as if it were alone: see `QueueManyHandler` for how the handler says what became of each.
   * Cost: as `work`.
   */
  workMany(
    handler: QueueManyHandler<Payload, Result>,
    options?: QueueWorkManyOptions & QueueDeathOptions<Payload> & QueueLimiterOptions<Payload>,
  ): QueueWorker {
    return this.#workers.workMany(handler, options);
  }

  /**
   * A name of yours as a key beside the queue's, for `job.commit`. No I/O.
   * @throws InvalidArgumentError for a queue of several partitions, where a job's own `job.key` says in which slot it is
   */
  key(name: string): string {
    const { operations, settings, partitions } = this.#parts;
    const { where } = operations;
    if (typeof name !== "string" || name === "")
      throw new InvalidArgumentError("key", "a non-empty string", name, { where });
    if (settings.partitions === 1) return partitions.first.keys.user(name);
    throw new InvalidArgumentError("key", "job.key(name), as this queue has several partitions", name, { where });
  }

  /** Returns a random id for a job of this group, which it has in whatever process adds it: for an outbox. No I/O. */
  newId(group?: string): string {
    const head = parseOptions(this.#parts.operations.where, { group }, { group: true }, (given) =>
      this.#parts.partitions.headFor(given.group === undefined ? undefined : checkGroup(given.group)),
    );
    return `${head}${this.#parts.core.driver.runtime.randomUUID()}`;
  }

  /** Returns the bytes as which a payload is stored, checked by its schema: for an outbox. No I/O. */
  encode(payload: Payload): Buffer {
    const { payload: codec, context } = this.#parts.values;
    return codec.encode(payload, context);
  }

  /** Returns the payload that `encode` made bytes of. No I/O. @throws CodecError */
  decode(bytes: Uint8Array): Payload {
    const { operations, values } = this.#parts;
    if (!types.isUint8Array(bytes))
      throw new InvalidArgumentError("bytes", "a Uint8Array", bytes, { where: operations.where });
    return values.payload.decode(Buffer.from(bytes), values.context);
  }

  #added({ status, id, durability }: Entered): QueueAddResult<Result> {
    const result = (options?: QueueResultOptions) => this.result(id, options);
    const cancel = (reason?: string) => this.cancel(id, reason);
    return durability === undefined ? { status, id, result, cancel } : { status, id, durability, result, cancel };
  }
}
