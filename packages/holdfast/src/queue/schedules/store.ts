/** The server's side of schedules. */
import { listOf } from "../../core/command/reply.ts";
import type { Core } from "../../core/core.ts";
import { runScript, type UnclassedCall } from "../../core/script/run.ts";
import type { QueueKeys } from "../keys.ts";
import {
  scheduleDue,
  type ScheduleDueResult,
  schedulePut,
  scheduleRead,
  scheduleRemove,
  scheduleRun,
  scheduleTick,
  type ScheduleTickResult,
} from "../scripts.gen.ts";
import type { ScheduleKeys } from "./keys.ts";
import type { SchedulePlan } from "./options.ts";
import type { Reckoning } from "./reckoning.ts";
import { decodeSchedule, decodeState, encodeState, type ScheduleRecord, type ScheduleState } from "./state.ts";

/** A schedule as it is stored. */
export interface StoredSchedule {
  readonly id: string;
  readonly state: ScheduleState;
  /** As it is stored. */
  readonly seen: string;
  readonly record: ScheduleRecord;
}

/** A schedule that is due, with what is to be done about it. */
export interface TickWork {
  readonly id: string;
  readonly seen: string;
  readonly plan: SchedulePlan;
  readonly reckoning: Reckoning;
}

/** One call holds the server for about a millisecond with as many. */
const MAX_DUE = 25;
/** A tick that is held back is looked at so often. */
const RETRY_MS = 1_000;
const OPERATION_TTL_MS = 60_000;
const OPERATION_BYTES = 9;

export interface ScheduleStoreOptions {
  /** Of the partition in which the schedules are, and their jobs. */
  readonly queue: QueueKeys;
  readonly keys: ScheduleKeys;
  readonly timeoutMs: number | undefined;
  /** For those who wait for a job that the next tick cancels. */
  readonly cancelled: { readonly outcome: () => Buffer; readonly keepMs: number };
  /** What the ids of its jobs begin with, so that they are looked for in this partition. */
  readonly jobHead: string;
}

export class ScheduleStore {
  readonly #core: Core;
  readonly #queue: QueueKeys;
  readonly #keys: ScheduleKeys;
  readonly #timeoutMs: number | undefined;
  readonly #cancelled: ScheduleStoreOptions["cancelled"];
  readonly #jobHead: string;

  constructor(core: Core, { queue, keys, timeoutMs, cancelled, jobHead }: ScheduleStoreOptions) {
    this.#core = core;
    this.#queue = queue;
    this.#keys = keys;
    this.#timeoutMs = timeoutMs;
    this.#cancelled = cancelled;
    this.#jobHead = jobHead;
  }

  due(): Promise<ScheduleDueResult> {
    const { ticks, states, schedules } = this.#keys;
    return runScript(
      this.#core.driver,
      scheduleDue,
      { ticks, states, schedules },
      { limit: MAX_DUE },
      this.#call("tick"),
    );
  }

  /** The id of the job of a tick. */
  jobOf(id: string, tick: number): string {
    return `${this.#jobHead}${id}@${tick}`;
  }

  tick(works: readonly TickWork[]): Promise<ScheduleTickResult> {
    const { ticks, states, schedules } = this.#keys;
    const { jobs, meta, dead, unique, workers, letters, lanes, idle } = this.#queue;
    const names = { ticks, states, schedules, jobs, meta, dead, unique, workers, letters, ...lanes, idle };
    const cancels = works.some(({ plan }) => plan.overlap === "cancelOther");
    const args = {
      channel: this.#core.wakeups.channel,
      jobHead: this.#jobHead,
      retryMs: RETRY_MS,
      keepMs: this.#cancelled.keepMs,
      outcome: cancels ? this.#cancelled.outcome() : "",
      fields: works.flatMap(fieldsOf),
    };
    return runScript(this.#core.driver, scheduleTick, names, args, this.#call("tick"));
  }

  /** `seen`: of each id its state as it is stored, if there is one; `found`: those that are whole. */
  async read(
    ids: readonly string[],
  ): Promise<{ readonly nowMs: number; readonly seen: readonly (string | null)[]; readonly found: StoredSchedule[] }> {
    const { states, schedules } = this.#keys;
    const keys = { states, schedules };
    const answer = await runScript(this.#core.driver, scheduleRead, keys, { ids }, this.#call("get", ids[0]));
    const found = ids.flatMap((id, at) => {
      const [seen, bytes] = [answer.states[at], answer.records[at]];
      if (typeof seen !== "string" || !Buffer.isBuffer(bytes)) return [];
      return [{ id, seen, state: decodeState(seen), record: decodeSchedule(bytes) }];
    });
    return { nowMs: answer.nowMs, seen: answer.states, found };
  }

  /** The ids behind `after` (as ZRANGE BYLEX writes it), in alphabetical order. */
  async ids(after: string, limit: number): Promise<string[]> {
    const { names } = this.#keys;
    const range = ["ZRANGE", names, after, "+", "BYLEX", "LIMIT", "0", String(limit)];
    const call = { op: "queue.schedules.list", class: "read", timeoutMs: this.#timeoutMs } as const;
    return listOf(await this.#core.driver.send(range, call, names), call.op, names).map(String);
  }

  /** `record` undefined: as it is. */
  async put(
    id: string,
    seen: string,
    state: ScheduleState,
    record: Buffer | undefined,
  ): Promise<{ status: "ok" | "conflict" }> {
    const { ticks, states, schedules, names } = this.#keys;
    const args = {
      channel: this.#core.wakeups.channel,
      wakeKey: this.#keys.wakeKey,
      id,
      seen,
      state: encodeState(state),
      due: scoreOf(state),
      record: record ?? "",
    };
    return runScript(this.#core.driver, schedulePut, { ticks, states, schedules, names }, args, this.#call("set", id));
  }

  /** With `seen` only if its state is still that. */
  remove(id: string, seen = ""): Promise<boolean> {
    const { ticks, states, schedules, names } = this.#keys;
    const keys = { ticks, states, schedules, names };
    return runScript(this.#core.driver, scheduleRemove, keys, { id, seen }, this.#call("remove", id));
  }

  async run(id: string): Promise<{ readonly status: "ok" | "missing"; readonly jobId: string }> {
    const { jobs, lanes, idle } = this.#queue;
    const call = this.#core.driver.runtime.randomBytes(OPERATION_BYTES).toString("base64url");
    const jobId = `${this.#jobHead}${id}@now.${call}`;
    const names = {
      operation: this.#queue.operation(call),
      schedules: this.#keys.schedules,
      jobs,
      ...lanes,
      idle,
    };
    const args = { operationTtlMs: OPERATION_TTL_MS, channel: this.#core.wakeups.channel, id, jobId };
    const { status } = await runScript(this.#core.driver, scheduleRun, names, args, this.#call("runNow", id));
    return { status, jobId };
  }

  #call(verb: string, key?: string): UnclassedCall {
    return { op: `queue.schedules.${verb}`, key, timeoutMs: this.#timeoutMs };
  }
}

/** What is held back is looked at at once. */
function scoreOf({ isPaused, held, next, due }: ScheduleState): string {
  if (isPaused) return "+inf";
  if (held > 0) return "0";
  return next === 0 ? "+inf" : String(due);
}

function fieldsOf({ id, seen, plan, reckoning }: TickWork): string[] {
  const { ticks, missed, next } = reckoning;
  const head = [next?.at ?? 0, next?.due ?? 0, plan.overlap, plan.max ?? 0, plan.graceMs, missed, ticks.length];
  return [id, seen, ...head.map(String), ...ticks.flatMap(({ at, due }) => [String(at), String(due)])];
}
