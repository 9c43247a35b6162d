/**
 * Schedules of a queue: jobs that are added by the clock, without end.
 *
 * What it promises, while the server keeps its data: each tick of a schedule adds one job, whoever and however many tick; none where the
 * schedule's `missed`, `overlap`, `start`, `end` or `max` says so, which is counted. No process has a part in it: all that
 * is known of a schedule is on the server, all times are the server's, and any worker of the queue goes on where the last one died.
 * While the server is away nothing ticks; what came due meanwhile is the business of `missed`.
 */
import { HoldfastError, InvalidArgumentError, said } from "../../base/errors.ts";
import { parseOptions } from "../../base/options.ts";
import { inChunks } from "../../core/batch/in-chunks.ts";
import type { Codec, CodecContext } from "../../core/codec/codec.ts";
import type { Core } from "../../core/core.ts";
import { Operations } from "../../core/observe/observe.ts";
import { untilNoConflict } from "../../core/update/compare-and-set.ts";
import { cancelOutcome } from "../jobs/changes.ts";
import type { QueueKeys } from "../keys.ts";
import type { QueueSettings } from "../options.ts";
import type { QueueValues } from "../values.ts";
import { ScheduleKeys } from "./keys.ts";
import {
  checkScheduleId,
  PAGE_OPTIONS,
  pageSettings,
  planOf,
  type QueueScheduleOptions,
  type QueueSchedulePageOptions,
  type QueueTickerOptions,
  SCHEDULE_OPTIONS,
  type SchedulePlan,
  TICKER_OPTIONS,
  tickerSettings,
} from "./options.ts";
import { nextAfterChange, nextFromNow } from "./next.ts";
import { type QueueSchedule, shown } from "./schedule.ts";
import { BEGINNING, decodeSchedule, encodeSchedule, type ScheduleState } from "./state.ts";
import { ScheduleStore, type StoredSchedule } from "./store.ts";
import { QueueTicker } from "./ticker.ts";

export interface QueueSchedulePage<Payload> {
  readonly schedules: readonly QueueSchedule<Payload>[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
}

/** What schedules need of their queue: its first partition has them, and their jobs. */
export interface ScheduledQueue<Payload> {
  readonly keys: QueueKeys;
  readonly values: Pick<QueueValues<Payload, unknown>, "payload" | "outcome" | "context">;
  readonly settings: Pick<QueueSettings, "timeoutMs" | "partitions" | "resultTtlMs">;
}

const VERSION_BYTES = 6;
/** Each of them meets a tick, or another process that sets the same schedule. */
const MOST_ROUNDS = 50;
const PER_CALL = 50;
/** By which the id of a job is looked for there, in a queue that has several. */
const FIRST_PARTITION = "0~";
/** Why a job was cancelled by the tick after it. */
const OVERTAKEN = "the next tick of its schedule came";
const SYNC_PAGE = 200;

/**
 * @example
 * await reports.schedules.set("nightly", { cron: "0 7 * * *", timeZone: "Europe/Berlin", payload: { kind: "sales" } });
 * await using worker = reports.work((job) => write(job.payload, job.scheduledFor));
 */
export class QueueSchedules<Payload> {
  readonly #core: Core;
  readonly #operations: Operations;
  readonly #store: ScheduleStore;
  readonly #wakeKey: string;
  readonly #payload: Codec<Payload>;
  readonly #context: CodecContext;

  constructor(core: Core, name: string, { keys: queue, values, settings }: ScheduledQueue<Payload>) {
    const keys = new ScheduleKeys(core.keys.group("queue", name));
    this.#core = core;
    this.#operations = new Operations("queue", name);
    const cancelled = { outcome: () => cancelOutcome(values, OVERTAKEN), keepMs: settings.resultTtlMs };
    const jobHead = settings.partitions === 1 ? "" : FIRST_PARTITION;
    this.#store = new ScheduleStore(core, { queue, keys, timeoutMs: settings.timeoutMs, cancelled, jobHead });
    this.#wakeKey = keys.wakeKey;
    this.#payload = values.payload;
    this.#context = values.context;
  }

  /**
   * Creates a schedule or changes it. One whose times are as before keeps its next tick, so every process may set its schedules
   * at its start. Idempotent. Cost: one script where nothing changes, else two.
   */
  set(id: string, options: QueueScheduleOptions<Payload>): Promise<QueueSchedule<Payload>> {
    return this.#operations.run("schedules.set", id, () => this.#set(id, options, undefined));
  }

  /** Returns a schedule, or undefined. Cost: one script. */
  get(id: string): Promise<QueueSchedule<Payload> | undefined> {
    return this.#operations.run("schedules.get", id, async () => {
      const { found } = await this.#store.read([checkScheduleId(id)]);
      return found[0] === undefined ? undefined : this.#shown(found[0]);
    });
  }

  /** Returns schedules in the order of their ids, with their next ticks. Cost: ZRANGE and a script. */
  list(options?: QueueSchedulePageOptions): Promise<QueueSchedulePage<Payload>> {
    return this.#operations.run("schedules.list", undefined, async () => {
      const { after, limit } = parseOptions(this.#operations.where, options, PAGE_OPTIONS, pageSettings);
      const { found, cursor } = await this.#page(after, limit);
      return { schedules: found.map((schedule) => this.#shown(schedule)), cursor };
    });
  }

  /** Removes a schedule; jobs that it has added stay. Returns whether there was one. Idempotent. Cost: one script. */
  remove(id: string): Promise<boolean> {
    return this.#operations.run("schedules.remove", id, async () => this.#store.remove(checkScheduleId(id)));
  }

  /** It ticks no more until `resume`; ticks in between are not made up for. Idempotent. Cost: two scripts. */
  pause(id: string): Promise<{ readonly status: "ok" | "missing" }> {
    return this.#operations.run("schedules.pause", id, () =>
      this.#change(id, ({ state }) => (state.isPaused ? undefined : { isPaused: true })),
    );
  }

  /** Idempotent. Cost: two scripts. */
  resume(id: string): Promise<{ readonly status: "ok" | "missing" }> {
    return this.#operations.run("schedules.resume", id, () =>
      this.#change(id, ({ state, record }, nowMs) =>
        state.isPaused ? { isPaused: false, ...nextFromNow(id, record.plan, state, nowMs) } : undefined,
      ),
    );
  }

  /**
   * Adds a job now, beside the plan: paused or not, whatever else runs, and not counted. A repetition after a lost answer adds nothing.
   * Cost: one script.
   */
  runNow(id: string): Promise<{ readonly status: "ok"; readonly jobId: string } | { readonly status: "missing" }> {
    return this.#operations.run("schedules.runNow", id, async () => {
      const { status, jobId } = await this.#store.run(checkScheduleId(id));
      return status === "ok" ? { status, jobId } : { status };
    });
  }

  /**
   * Sets all schedules of an owner, such as a service, by id, and removes those of the same owner that are not among them any more.
   * A schedule belongs to whoever set it last. Cost: as `set` for each; ZRANGE and a script per 200 schedules of the queue.
   */
  sync(
    owner: string,
    definitions: Readonly<Record<string, QueueScheduleOptions<Payload>>>,
  ): Promise<{ readonly removed: readonly string[] }> {
    return this.#operations.run("schedules.sync", owner, async () => {
      const by = checkOwner(owner, this.#operations.where);
      if (typeof definitions !== "object" || definitions === null || Array.isArray(definitions))
        throw new InvalidArgumentError(
          "definitions",
          'an object such as { nightly: { cron: "0 7 * * *", ... } }',
          said("something else"),
          { where: this.#operations.where },
        );
      const wanted = Object.entries(definitions);
      // A mistake in one of them changes nothing.
      for (const [id, options] of wanted) this.#parsed(id, options, by);
      const set = (chunk: readonly (typeof wanted)[number][]) =>
        Promise.all(chunk.map(([id, options]) => this.#set(id, options, by)));
      await inChunks(wanted, set, { size: PER_CALL });
      return { removed: await this.#removeDropped(by, new Set(Object.keys(definitions))) };
    });
  }

  /** Ticks the schedules in a process without a worker, until it is closed: a worker of the queue does so by itself. */
  run(options?: QueueTickerOptions): QueueTicker {
    const { pollMs } = parseOptions(this.#operations.where, options, TICKER_OPTIONS, tickerSettings);
    return new QueueTicker(this.#core, this.#store, this.#wakeKey, pollMs);
  }

  #parsed(
    id: string,
    options: QueueScheduleOptions<Payload>,
    owner: string | undefined,
  ): { readonly plan: SchedulePlan; readonly record: Buffer } {
    return parseOptions(this.#operations.where, options, SCHEDULE_OPTIONS, (given) => {
      checkScheduleId(id);
      const plan = planOf(given, owner);
      return { plan, record: encodeSchedule(plan, this.#payload.encode(given.payload, this.#context)) };
    });
  }

  async #set(
    id: string,
    options: QueueScheduleOptions<Payload>,
    owner: string | undefined,
  ): Promise<QueueSchedule<Payload>> {
    const { plan, record } = this.#parsed(id, options, owner);
    let stored: StoredSchedule | undefined;
    await this.#untilWritten("set", id, async () => {
      const { nowMs, found, seen } = await this.#store.read([id]);
      const before = found[0];
      stored = before;
      if (before?.record.bytes.equals(record) === true) return { status: "ok" };
      const next = nextAfterChange(id, plan, before, nowMs);
      const state = { ...BEGINNING, ...before?.state, ...next, version: this.#newVersion() };
      stored = { id, seen: "", state, record: decodeSchedule(record) };
      return this.#store.put(id, seen[0] ?? "", state, record);
    });
    return this.#shown(stored!);
  }

  async #change(
    id: string,
    change: (before: StoredSchedule, nowMs: number) => Partial<ScheduleState> | undefined,
  ): Promise<{ readonly status: "ok" | "missing" }> {
    checkScheduleId(id);
    return this.#untilWritten("change", id, async () => {
      const { nowMs, found } = await this.#store.read([id]);
      const before = found[0];
      if (before === undefined) return { status: "missing" };
      const changes = change(before, nowMs);
      if (changes === undefined) return { status: "ok" };
      const state = { ...before.state, ...changes, version: this.#newVersion() };
      return this.#store.put(id, before.seen, state, undefined);
    });
  }

  async #untilWritten<Status extends string>(
    verb: string,
    id: string,
    round: () => Promise<{ readonly status: Status | "conflict" }>,
  ): Promise<{ readonly status: Status }> {
    const { status } = await untilNoConflict(this.#core.driver.runtime, MOST_ROUNDS, round);
    if (status !== "conflict") return { status };
    const op = `queue.schedules.${verb}`;
    const message = `${this.#operations.where}: schedule ${JSON.stringify(id)} was changed by others each time; call again`;
    throw new HoldfastError("CONFLICT", message, { op, key: id, retryable: true });
  }

  async #removeDropped(owner: string, kept: ReadonlySet<string>): Promise<string[]> {
    const removed: string[] = [];
    for (let after: string | undefined = "-"; after !== undefined;) {
      const { found, cursor } = await this.#page(after, SYNC_PAGE);
      for (const { id, seen, record } of found) {
        // Unless it has become another's meanwhile; a tick between is no change of owner.
        if (record.plan.owner !== owner || kept.has(id)) continue;
        if (await this.#removeOf(owner, id, seen)) removed.push(id);
      }
      after = cursor === undefined ? undefined : `(${cursor}`;
    }
    return removed;
  }

  async #removeOf(owner: string, id: string, seen: string): Promise<boolean> {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      if (await this.#store.remove(id, seen)) return true;
      const { found } = await this.#store.read([id]);
      if (found[0]?.record.plan.owner !== owner) return false;
      ({ seen } = found[0]);
    }
    return false;
  }

  async #page(after: string, limit: number): Promise<{ found: StoredSchedule[]; cursor: string | undefined }> {
    const ids = await this.#store.ids(after, limit);
    const { found } = ids.length === 0 ? { found: [] } : await this.#store.read(ids);
    return { found, cursor: ids.length < limit ? undefined : ids.at(-1) };
  }

  #shown(schedule: StoredSchedule): QueueSchedule<Payload> {
    const jobOf = (id: string, tick: number) => this.#store.jobOf(id, tick);
    return shown(schedule, { payload: this.#payload, context: this.#context, jobOf });
  }

  #newVersion(): string {
    return this.#core.driver.runtime.randomBytes(VERSION_BYTES).toString("base64url");
  }
}

function checkOwner(owner: unknown, where: string): string {
  if (typeof owner === "string" && owner.length > 0 && owner.length <= 200 && !/\p{Surrogate}/u.test(owner))
    return owner;
  throw new InvalidArgumentError("owner", "a non-empty, well-formed string of at most 200 characters", owner, {
    where,
  });
}
