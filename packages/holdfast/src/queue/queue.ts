/**
 * A queue of jobs that any process adds to and any worker takes from.
 *
 * What it promises, while the server keeps its data: a job that was accepted is run until it succeeds or is dead, at least once; it is run again only
 * where its run ended badly, or where its end could not be told to the server; the acknowledgement of a run that is over changes nothing
 * (`job.fence`); in one lane, and with one worker of concurrency 1, jobs run in the order in which they were added. Times are the server's.
 * While the server is away `add` waits for it until its deadline and then rejects; a worker calls its runs off when its lease is over, and goes on
 * by itself when a server answers again.
 * Longer than other files because it is all that a queue offers, each with what it costs; what is behind it stands in files of its own.
 */
import { types } from "node:util";
import { Door } from "../base/door.ts";
import { ClosedError, InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, listOf, type OptionNames, parseOptions } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import { currentText } from "../core/observe/trace.ts";
import { Operations } from "../core/observe/observe.ts";
import { type Entered, MAX_ADDITIONS } from "./additions.ts";
import { QueueDeadLetters } from "./dead-letters.ts";
import { EVENTS_OPTIONS, QueueEvents, type QueueEventsOptions, eventsSettings } from "./events/stream.ts";
import { QueueGroups } from "./groups/groups.ts";
import { QueueLimits } from "./groups/limits.ts";
import {
  CLEAN_OPTIONS,
  drained,
  obliterated,
  type QueueCleanOptions,
  type QueueObliterateOptions,
} from "./jobs/bulk.ts";
import {
  cancelOutcome,
  type QueueCancelResult,
  QueueChanges,
  type QueueRemoveResult,
  type QueueRetryResult,
  type QueueUpdate,
  type QueueUpdateResult,
  TAKEN_OVER,
} from "./jobs/changes.ts";
import { infoFrom, type QueueJobInfo } from "./jobs/info.ts";
import { checkState, type QueuePage, type QueuePageOptions, QueuePages } from "./jobs/pages.ts";
import { logsFrom, type QueueLog } from "./jobs/reports.ts";
import {
  type QueueResult,
  type QueueResultOptions,
  QueueResults,
  RESULT_OPTIONS,
  resultSettings,
} from "./jobs/results.ts";
import { type QueueFilter, QueueSelection } from "./jobs/selection.ts";
import type { QueueAddResult } from "./add-result.ts";
import { checkName } from "./check-name.ts";
import {
  ADD_MANY_OPTIONS,
  ADD_OPTIONS,
  type AddSettings,
  addSettings,
  checkGroup,
  CHILD_OPTIONS,
  QUEUE_OPTIONS,
  type QueueAddManyOptions,
  type QueueAddOptions,
  type QueueChildOptions,
  type QueueOptions,
  queueSettings,
  type QueueSettings,
  type QueueWorkManyOptions,
  type QueueWorkOptions,
  WORK_MANY_OPTIONS,
  WORK_OPTIONS,
  workSettings,
} from "./options.ts";
import { BATCH_OPTIONS, batchSettings, QueueBatch, type QueueBatchOptions } from "./flows/batch.ts";
import { policyOf, QueueChild } from "./flows/child.ts";
import { QueueFlows } from "./flows/flows.ts";
import { planOf } from "./flows/plan.ts";
import { CLAIM_OPTIONS, Claims, claimSettings, type QueueClaimOptions } from "./manual/claims.ts";
import type { QueueHeldJob } from "./manual/held-job.ts";
import {
  overviewOf,
  type QueueOverview,
  type QueueStatsOptions,
  type QueueStatsPoint,
  STATS_OPTIONS,
  statsIn,
  statsSettings,
} from "./overview/overview.ts";
import { type QueueCounts, sumOfCounts } from "./overview/job-counts.ts";
import { TallyStore } from "./overview/store.ts";
import { Partitions } from "./partitions.ts";
import { encodeRecord } from "./record.ts";
import { withRoom } from "./room.ts";
import type { CountsResult } from "./scripts.gen.ts";
import { QueueSchedules } from "./schedules/schedules.ts";
import { SharedTicker } from "./schedules/ticker.ts";
import type { QueueStore } from "./store.ts";
import { queueValues, type QueueValues, stepValues } from "./values.ts";
import {
  Dispatch,
  type QueueFreeName,
  type QueueHandler,
  type QueueHandlers,
  type QueueJobName,
  type QueuePayloadOf,
} from "./names.ts";
import { handlerOf } from "./threads/handler.ts";
import { type Share, Slots } from "./slots.ts";
import { QueueWorker, type WorkerSource } from "./worker.ts";
import { Gatherings, type QueueManyHandler } from "./workers/gatherings.ts";
import { DEATH_OPTIONS, deathHandler, type QueueDeathOptions } from "./workers/deaths.ts";
import { admissionOf, LIMITER_OPTIONS, type QueueLimiterOptions } from "./workers/limiting.ts";
import { QueueHandling, type QueueWithOptions, WITH_OPTIONS, withSettings } from "./workers/handling.ts";
import { MIDDLEWARE_OPTIONS, MiddlewareChain, type QueueMiddleware } from "./workers/middleware.ts";
import { checkManyHandler, workManySettings } from "./workers/many.ts";

const FLOW_BYTES = 9;
const MIN_PLAIN = 50;
/** Of what stands around handlers. */
const AROUND_OPTIONS = { ...DEATH_OPTIONS, ...LIMITER_OPTIONS };
const ENTRIES_OPTIONS: OptionNames<Pick<QueuePageOptions, "state">> = { state: true };

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
  /** Jobs that wait for each other, whole. */
  readonly flows: QueueFlows;
  /** Jobs that are added by the clock. */
  readonly schedules: QueueSchedules<Payload>;
  /** Limits of all workers together. */
  readonly limits: QueueLimits;
  /** Shares, limits and pauses of groups of jobs. */
  readonly groups: QueueGroups;
  readonly #ticker: SharedTicker;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #settings: QueueSettings;
  readonly #partitions: Partitions;
  readonly #tallies: TallyStore;
  readonly #values: QueueValues<Payload, Result>;
  readonly #pages: QueuePages<Payload, Result>;
  readonly #changes: QueueChanges<Payload>;
  readonly #results: QueueResults<Payload, Result>;
  readonly #middleware = new MiddlewareChain();
  readonly #claims: Claims;

  constructor(core: Core, name: string, options?: QueueOptions<Payload, Result>) {
    this.name = name;
    this.#operations = new Operations("queue", name);
    this.#core = core;
    const [settings, values] = parseOptions(
      this.#operations.where,
      options,
      QUEUE_OPTIONS,
      (given) =>
        [
          queueSettings(given as QueueOptions<never, never>),
          queueValues(core, core.keys.group("queue", name).key, given),
        ] as const,
    );
    this.#settings = settings;
    this.#values = values;
    this.#partitions = new Partitions(core, name, settings);
    this.#tallies = new TallyStore(core, this.#partitions.first.keys, settings.timeoutMs);
    this.limits = new QueueLimits(this.#operations, this.#partitions.all);
    this.groups = new QueueGroups(this.#operations, this.#partitions);
    this.flows = new QueueFlows(values.told, this.#operations, name, this.#partitions);
    this.#pages = new QueuePages(this.#partitions, values);
    this.#changes = new QueueChanges(this.#partitions, values);
    this.#results = new QueueResults(core, this.#partitions, values);
    this.#claims = new Claims({
      core,
      operations: this.#operations,
      queue: name,
      settings,
      values,
      partitions: this.#partitions,
      tallies: this.#tallies,
    });
    this.dead = new QueueDeadLetters(this.#operations, this.#partitions, this.#pages, (filter) => this.where(filter));
    this.schedules = new QueueSchedules(core, name, { keys: this.#partitions.first.keys, values, settings });
    this.#ticker = new SharedTicker((pollMs) => this.schedules.run({ poll: pollMs }));
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
    const add = (): Promise<QueueAddResult<Result>> => {
      if (!this.#middleware.isAdding) return this.#add(payload, options);
      const { where } = this.#operations;
      const job = { payload, options: parseOptions(where, options, ADD_OPTIONS, (given) => given) };
      return this.#middleware.add(job, (last) => this.#add(last.payload as Payload, last.options));
    };
    return this.#operations.run("add", undefined, add, ({ status, id }) => ({ status, id }));
  }

  /** As `add` for each of them, with the same options; in their order. Cost: one script per 200 jobs. */
  addMany(payloads: Iterable<Payload>, options?: QueueAddManyOptions): Promise<QueueAddResult<Result>[]> {
    return this.#operations.run("addMany", undefined, async () => {
      const jobs = listOf("payloads", payloads, "payloads");
      const settings = parseOptions(this.#operations.where, options, ADD_MANY_OPTIONS, addSettings);
      const arePlain = this.#arePlain(settings);
      // Fewer share a script with what else is added in the same tick.
      const task = (chunk: readonly Payload[]): Promise<QueueAddResult<Result>[]> =>
        arePlain && chunk.length >= MIN_PLAIN
          ? this.#addPlain(chunk, settings)
          : Promise.all(chunk.map((payload) => this.add(payload, options as QueueAddOptions<never>)));
      return inChunks(jobs, task, { size: MAX_ADDITIONS });
    });
  }

  /**
   * A job that others wait for, to be given as one of the `children` of another job; it may have children itself, and be the child of several.
   * No I/O.
   */
  child(payload: Payload, options?: QueueChildOptions): QueueChild {
    return parseOptions(this.#operations.where, options, CHILD_OPTIONS, ({ onDead = "fail", ...rest }) => {
      const settings = addSettings(rest);
      const encoded = this.#values.payload.encode(payload, this.#values.context);
      const caller = currentText(this.#core.trace);
      return new QueueChild({
        queue: this.name,
        place: () => this.#partitions.for(settings),
        lane: settings.lane,
        due: settings.due,
        record: (waiting) => encodeRecord(settings, encoded, caller, waiting),
        policy: policyOf(onDead),
        children: settings.children,
      });
    });
  }

  /**
   * Jobs with a callback when all of them have ended: further jobs of this queue, each of which is added exactly once. Open until it is closed.
   * No I/O.
   */
  batch(callbacks: QueueBatchOptions<Payload>): QueueBatch {
    return parseOptions(this.#operations.where, callbacks, BATCH_OPTIONS, (given) => {
      const encode = (payload: Payload) => this.#values.payload.encode(payload, this.#values.context);
      return new QueueBatch(this.#core, this.name, this.#partitions, batchSettings(given, encode));
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
    const names = { ...WORK_OPTIONS, ...AROUND_OPTIONS };
    const { work, handlers, release } = parseOptions(this.#operations.where, options, names, (given) => {
      const { dispatch, ...rest } = handlerOf(this.#core.driver.runtime, handler, workSettings(given));
      return { ...rest, handlers: { dispatch, ...this.#around(given) } };
    });
    if (this.#core.isClosing) throw new ClosedError(undefined, { op: "queue.work" });
    const door = new Door(this.#core.handlers);
    const sources = [this.#source(handlers, work.pollMs, new Slots(work.concurrency).share())];
    return new QueueWorker({ core: this.#core, sources, work, door, release });
  }

  /**
   * Claims jobs to be run without a worker, in the order in which workers would: fewer, or none, where fewer wait. Each is to be completed, failed or released before
   * its lease is over; else it waits again, as that of a dead worker does. Of a paused queue there are none. Schedules are not ticked.
   * Cost: a script per partition, one more in each where there is none, and what `wait` asks again.
   */
  claim(options?: QueueClaimOptions): Promise<QueueHeldJob<Payload, Result>[]> {
    return this.#operations.run("claim", undefined, async () => {
      const settings = parseOptions(this.#operations.where, options, CLAIM_OPTIONS, claimSettings);
      return (await this.#claims.claim(settings)) as QueueHeldJob<Payload, Result>[];
    });
  }

  /** Returns the job that was claimed under this token, here or elsewhere, or undefined where it is not held by it any more. Cost: one script. */
  held(token: string): Promise<QueueHeldJob<Payload, Result> | undefined> {
    return this.#operations.run(
      "held",
      undefined,
      async () => (await this.#claims.held(token)) as QueueHeldJob<Payload, Result> | undefined,
    );
  }

  /**
   * Puts middleware around what is added, and around runs, from now on; the first one is the outermost. It is this object's: workers and adders in
   * other processes have their own. No I/O.
   */
  use(...middleware: readonly QueueMiddleware<Payload, Result>[]): this {
    for (const each of middleware)
      parseOptions(this.#operations.where, each, MIDDLEWARE_OPTIONS, (given) => this.#middleware.use(given));
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
    return parseOptions(this.#operations.where, options, { ...WITH_OPTIONS, ...AROUND_OPTIONS }, (given) => {
      const { weight, aliases } = withSettings(given);
      const handlers = { dispatch: new Dispatch(handler, aliases), ...this.#around(given) };
      const source = (pollMs: number, share: Share) => this.#source(handlers, pollMs, share);
      return new QueueHandling({ core: this.#core, queue: this.name, weight, source, counts: () => this.counts() });
    });
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
    const names = { ...WORK_MANY_OPTIONS, ...AROUND_OPTIONS };
    const { work, many, call, around } = parseOptions(this.#operations.where, options, names, (given) => ({
      ...workManySettings(given),
      call: checkManyHandler(handler),
      around: this.#around(given),
    }));
    if (this.#core.isClosing) throw new ClosedError(undefined, { op: "queue.workMany" });
    const slots = new Slots(work.concurrency);
    const door = new Door(this.#core.handlers);
    const inside: typeof call = (jobs) => door.enter(() => call(jobs));
    const gatherings = new Gatherings(this.#core.driver.runtime, many, slots, inside);
    const handlers = { dispatch: new Dispatch(call, {}), ...around };
    const source = { ...this.#source(handlers, work.pollMs, slots.share()), gatherings };
    const parts = { core: this.#core, sources: [source], work, door };
    return new QueueWorker({ ...parts, release: () => Promise.resolve() });
  }

  /**
   * Waits for the outcome of a job that was added with `result: true`. Any number of processes may.
   * Cost: GET, again at the wake-up; one script more every two seconds.
   * @throws TimeoutError when the job has not ended within `timeout`
   */
  result(id: string, options?: QueueResultOptions): Promise<QueueResult<Result>> {
    return this.#operations.run("result", id, async () => {
      checkName("id", id);
      const settings = parseOptions(this.#operations.where, options, RESULT_OPTIONS, resultSettings);
      return this.#results.wait(this.#operations.where, id, settings);
    });
  }

  /** Returns a job that is not over or is kept, or undefined. Cost: one script. */
  get(id: string): Promise<QueueJobInfo<Payload, Result> | undefined> {
    return this.#operations.run("get", id, async () => {
      const row = await this.#partitions.of(checkName("id", id)).jobs.find(id);
      return row === undefined ? undefined : infoFrom(this.#values, id, row);
    });
  }

  /**
   * Sends a signal to a job that is not over: one that waits for it runs, and one that will wait for it finds it. The last one of a name counts.
   * Idempotent. Cost: one script.
   */
  signal(id: string, name: string, value?: unknown): Promise<{ readonly status: "ok" | "missing" }> {
    return this.#operations.run("signal", id, async () => {
      const { steps } = this.#partitions.of(checkName("id", id));
      return { status: await steps.signal(id, checkName("name", name), stepValues(this.#values).encode(value)) };
    });
  }

  /** Returns the last lines that a job's handler logged, oldest first. Cost: HGET, for a kept job two. */
  logs(id: string): Promise<QueueLog[]> {
    return this.#operations.run("logs", id, async () =>
      logsFrom(this.#values, await this.#partitions.of(checkName("id", id)).jobs.logs(id)),
    );
  }

  /**
   * Cancels a job, wherever it is: one that does not run is over at once; of one that runs the signal aborts, and however its run ends
   * it is not run again. One that has something to undo runs once more for that, and is dead then. `reason` is for its handler and for those who wait for its result. Idempotent. Cost: one script.
   */
  cancel(id: string, reason?: string): Promise<QueueCancelResult> {
    return this.#operations.run("cancel", id, () => this.#changes.cancel(id, reason));
  }

  /** Changes a job that has not started; what is not given stays as it is. Idempotent. Cost: one script. */
  update(id: string, changes: QueueUpdate<Payload>): Promise<QueueUpdateResult> {
    return this.#operations.run("update", id, () => this.#changes.update(id, changes));
  }

  /** Lets a delayed job run now, at the end of its lane. Idempotent. Cost: one script. */
  promote(id: string): Promise<QueueUpdateResult> {
    return this.#operations.run("promote", id, () => this.#changes.promote(id));
  }

  /** Lets a dead or a kept job run again, at the end of its lane and with all its attempts. Cost: one script. */
  retry(id: string): Promise<QueueRetryResult> {
    return this.#operations.run("retry", id, () => this.#changes.retry(id));
  }

  /** Removes a job that is not running, or that is kept. Idempotent. Cost: one script. */
  remove(id: string): Promise<QueueRemoveResult> {
    return this.#operations.run("remove", id, () => this.#changes.remove(id));
  }

  /**
   * Returns jobs of one state: waiting ones in the order of their lanes, the others by time. A job that stays in its state is neither missed nor
   * returned twice, whatever is added or taken meanwhile (of waiting ones: within the first 10,000 of a lane). Cost: one script per 100 jobs.
   */
  page(options: QueuePageOptions): Promise<QueuePage<Payload, Result>> {
    return this.#operations.run("page", undefined, () => this.#pages.page(options));
  }

  /** Iterates over the jobs of one state, as pages of 500 return them. */
  entries(options: Pick<QueuePageOptions, "state">): AsyncGenerator<QueueJobInfo<Payload, Result>> {
    return this.#pages.entries(
      parseOptions(this.#operations.where, options, ENTRIES_OPTIONS, ({ state }) => checkState(state)),
    );
  }

  /** Chooses jobs to `cancel`, `retry` or `remove` in chunks, with a dry run. No I/O. */
  where(filter: QueueFilter): QueueSelection<Payload, Result> {
    const [partitions, values, pages] = [this.#partitions, this.#values, this.#pages];
    const now = async () => (await partitions.first.store.counts()).nowMs;
    return new QueueSelection(this.#operations, { partitions, values, pages, now }, filter);
  }

  /** Drops the jobs that wait or are delayed, and returns how many. Safe to repeat. Cost: one script per 100 jobs, or per 200 groups without any. */
  drain(): Promise<number> {
    return this.#operations.run("drain", undefined, () => drained(this.#partitions));
  }

  /** Removes the jobs of one state that are older, and returns how many; running ones stay. Safe to repeat. Cost: a script per 100 jobs of the state, and one per 50 that are removed. */
  clean(options: QueueCleanOptions): Promise<number> {
    return this.#operations.run("clean", undefined, async () => {
      const { limit, ...filter } = givenOptions(options, CLEAN_OPTIONS);
      return (await this.where(filter).remove({ limit })).changed;
    });
  }

  /**
   * A name of yours as a key beside the queue's, for `job.commit`. No I/O.
   * @throws InvalidArgumentError for a queue of several partitions, where a job's own `job.key` says in which slot it is
   */
  key(name: string): string {
    if (typeof name !== "string" || name === "")
      throw new InvalidArgumentError("key", "a non-empty string", name, { where: this.#operations.where });
    if (this.#settings.partitions === 1) return this.#partitions.first.keys.user(name);
    throw new InvalidArgumentError("key", "job.key(name), as this queue has several partitions", name, {
      where: this.#operations.where,
    });
  }

  /** Returns a random id for a job of this group, which it has in whatever process adds it: for an outbox. No I/O. */
  newId(group?: string): string {
    const head = parseOptions(this.#operations.where, { group }, { group: true }, (given) =>
      this.#partitions.headFor(given.group === undefined ? undefined : checkGroup(given.group)),
    );
    return `${head}${this.#core.driver.runtime.randomUUID()}`;
  }

  /** Returns the bytes as which a payload is stored, checked by its schema: for an outbox. No I/O. */
  encode(payload: Payload): Buffer {
    return this.#values.payload.encode(payload, this.#values.context);
  }

  /** Returns the payload that `encode` made bytes of. No I/O. @throws CodecError */
  decode(bytes: Uint8Array): Payload {
    if (!types.isUint8Array(bytes))
      throw new InvalidArgumentError("bytes", "a Uint8Array", bytes, { where: this.#operations.where });
    return this.#values.payload.decode(Buffer.from(bytes), this.#values.context);
  }

  /**
   * Removes the queue with all its jobs, of all states; `busy`: some run, unless it is forced: then their runs are called off. Workers go on.
   * Safe to repeat. Cost: one script per partition, whatever its size, and one per 100 groups.
   */
  obliterate(options?: QueueObliterateOptions): Promise<{ readonly status: "ok" | "busy" }> {
    return this.#operations.run("obliterate", undefined, () => obliterated(this.#partitions, options));
  }

  /** No worker claims any more jobs, until `resume`; those that run go on. Idempotent. Cost: SET. */
  pause(): Promise<void> {
    return this.#operations.run("pause", undefined, () => this.#each((store) => store.pause()));
  }

  /** Idempotent. Cost: DEL, ZRANGE and a PUBLISH per worker that listens. */
  resume(): Promise<void> {
    return this.#operations.run("resume", undefined, () => this.#each((store) => store.resume()));
  }

  /** Counts the jobs in each state, of each partition at one consistent moment. Cost: one script per partition. */
  counts(): Promise<QueueCounts> {
    return this.#operations.run("counts", undefined, async () => sumOfCounts(await this.#counted()));
  }

  /**
   * What there is to be seen of the queue: its counts, throughput, times, failures, and its workers with what they run. What workers have
   * counted arrives every five seconds.
   * Cost: two scripts per partition, 61 HGETALL, and an HMGET per worker; bounded, however long the queue is.
   */
  overview(): Promise<QueueOverview> {
    return this.#operations.run("overview", undefined, async () => {
      const parts = await this.#counted();
      return overviewOf(this.#tallies, this.#partitions.all, sumOfCounts(parts), parts[0]!.nowMs);
    });
  }

  /** What was counted over time, kept for seven days to the minute; the earliest first. Cost: one script, and an HGETALL per minute, in chunks. */
  stats(options?: QueueStatsOptions): Promise<QueueStatsPoint[]> {
    return this.#operations.run("stats", undefined, async () => {
      const settings = parseOptions(this.#operations.where, options, STATS_OPTIONS, statsSettings);
      const { nowMs } = await this.#partitions.first.store.counts();
      return statsIn(this.#tallies, settings, nowMs);
    });
  }

  /**
   * Iterates over what happens to jobs, in each partition in its order; of a queue with the option `events`. What was noted stays for others, so
   * any number may read. It goes on by itself after an outage, and ends with its signal, `return()` or the handle.
   * Cost: a script per partition for each 200 events, or each `poll`.
   * @throws InvalidArgumentError if the queue has no `events`
   */
  events(options?: QueueEventsOptions): QueueEvents {
    const { all } = this.#partitions;
    const settings = parseOptions(this.#operations.where, options, EVENTS_OPTIONS, (given) => {
      const stores = all.flatMap(({ events }) => events ?? []);
      if (stores.length === 0)
        throw new InvalidArgumentError("events", "set among the queue's options, before they are read", undefined);
      return { stores, ...eventsSettings(given, all.length) };
    });
    if (this.#core.isClosing) throw new ClosedError(undefined, { op: "queue.events" });
    return new QueueEvents(this.#core, settings.stores, this.#values, settings);
  }

  #around(
    given: QueueDeathOptions<Payload> & QueueLimiterOptions<Payload>,
  ): Pick<WorkerSource, "onDead" | "admission"> {
    return { onDead: deathHandler(given), admission: admissionOf(this.name, given) };
  }

  #source(
    handlers: Pick<WorkerSource, "dispatch" | "onDead" | "admission">,
    pollMs: number,
    share: Share,
  ): WorkerSource {
    const leave = this.#ticker.join(pollMs);
    const { all: partitions } = this.#partitions;
    return {
      name: this.name,
      partitions,
      values: this.#values,
      queue: this.#settings,
      tallies: this.#tallies,
      ...handlers,
      gatherings: undefined,
      middleware: this.#middleware,
      share,
      leave,
    };
  }

  #record(settings: AddSettings, payload: Payload): Buffer {
    const encoded = this.#values.payload.encode(payload, this.#values.context);
    return encodeRecord(settings, encoded, currentText(this.#core.trace));
  }

  async #add(payload: Payload, options: QueueAddOptions | undefined): Promise<QueueAddResult<Result>> {
    const { durability } = this.#settings;
    const given = parseOptions(this.#operations.where, options, ADD_OPTIONS, addSettings);
    const settings = durability === undefined || given.durability !== undefined ? given : { ...given, durability };
    if (settings.children.length > 0) return this.#addFlow(payload, settings);
    const record = this.#record(settings, payload);
    const { additions } = this.#partitions.for(settings);
    const cancels = settings.uniqueMode === "c" ? { outcome: cancelOutcome(this.#values, TAKEN_OVER) } : {};
    const entered = await withRoom(this.#core.driver.runtime, settings.waitMs, () =>
      additions.add({ id: settings.id, settings, record, ...cancels }),
    );
    return this.#added(entered);
  }

  /** Nothing is done for each job of `addMany` but to add it. */
  #arePlain(settings: AddSettings): boolean {
    const { all, first } = this.#partitions;
    if (all.length > 1 || this.#settings.durability !== undefined) return false;
    return first.additions.arePlain(settings) && !this.#middleware.isAdding && !this.#operations.areObserved;
  }

  async #addPlain(payloads: readonly Payload[], settings: AddSettings): Promise<QueueAddResult<Result>[]> {
    const jobs = payloads.map((payload) => ({ id: undefined, settings, record: this.#record(settings, payload) }));
    const entered = await this.#partitions.first.additions.addPlain(jobs);
    return entered.map((each) => this.#added(each));
  }

  /** The whole flow is written down in one step, and is added from there: by this process, or by a worker if it dies. */
  async #addFlow(payload: Payload, settings: AddSettings): Promise<QueueAddResult<Result>> {
    const partition = this.#partitions.for(settings);
    const head = this.#core.driver.runtime.randomBytes(FLOW_BYTES).toString("base64url");
    const id = settings.id ?? `${partition.idHead}${head}`;
    const plan = planOf(head, [{ queue: this.name, partition: partition.index, id }], settings.children);
    const record = this.#record(settings, payload);
    const { post } = partition;
    partition.events?.ask();
    const status = await post.flows.start(head, { id, lane: settings.lane, record }, plan);
    if (status === "ok") await post.carryOut(head, plan);
    return this.#added({ status, id });
  }

  #counted(): Promise<CountsResult[]> {
    return Promise.all(this.#partitions.all.map(({ store }) => store.counts()));
  }

  async #each(ask: (store: QueueStore) => Promise<void>): Promise<void> {
    await Promise.all(this.#partitions.all.map(({ store }) => ask(store)));
  }

  #added({ status, id, durability }: Entered): QueueAddResult<Result> {
    const result = (options?: QueueResultOptions) => this.result(id, options);
    const cancel = (reason?: string) => this.cancel(id, reason);
    return durability === undefined ? { status, id, result, cancel } : { status, id, durability, result, cancel };
  }
}
