/** A queue of BullMQ as it lies on its server: read, taken from, and given back to. Layout of BullMQ 5 and 6. */
import type { Arg, Driver } from "../driver/port.ts";
import { runScript } from "../core/script/run.ts";
import { drop, peek, putBack, survey, type SurveyResult, take, taken } from "./scripts.gen.ts";

/** Where a job waits in BullMQ; a paused list is left behind by versions before 6. */
export type BullMQState = "paused" | "wait" | "prioritized" | "delayed" | "failed";

/** A job as BullMQ has stored it. */
export interface StoredJob {
  readonly state: BullMQState;
  readonly id: string;
  /** Of its place in a sorted set; else empty. */
  readonly score: string;
  readonly name: string;
  /** JSON; undefined where its data is gone. */
  readonly data: string | undefined;
  readonly opts: Readonly<Record<string, unknown>>;
  readonly timestamp: number;
  readonly priority: number;
  readonly attemptsMade: number;
  readonly deduplicationId: string | undefined;
  /** For how many milliseconds more that id is taken by this job; -1: until it is over, undefined: it is not. */
  readonly deduplicationMs: number | undefined;
  readonly isScheduled: boolean;
  readonly isChild: boolean;
  readonly isParent: boolean;
}

export interface StoredSchedule {
  readonly id: string;
  readonly nextAt: number;
  readonly name: string;
  readonly pattern: string | undefined;
  readonly every: string | undefined;
  readonly timeZone: string | undefined;
  readonly startDate: string | undefined;
  readonly endDate: string | undefined;
  readonly limit: string | undefined;
  readonly data: string | undefined;
}

type Texts = (string | undefined)[];

const JOB_FIELDS = 14;
const SCHEDULE_FIELDS = 11;
const SCHEDULES_PER_PAGE = 100;
/** LREM walks past what is skipped: about 2 milliseconds of the server's time at most. */
const MAX_WALK = 100_000;
const CALL = "migrateFromBullMQ";

export class BullMQSource {
  /** As BullMQ's error messages and ours name it. */
  readonly key: string;
  readonly #driver: Driver;
  readonly #prefix: string;

  constructor(driver: Driver, prefix: string, name: string) {
    this.#driver = driver;
    this.key = `${prefix}:${name}`;
    this.#prefix = `${this.key}:`;
  }

  /** Those that are next first. */
  async peek(state: BullMQState, skip: number, most: number): Promise<StoredJob[]> {
    const count = Math.max(1, Math.min(most, Math.floor(MAX_WALK / (skip + 1))));
    const args = { prefix: this.#prefix, state, skip, count };
    return jobsOf(await this.#run(peek, { jobs: this.#part(state) }, args));
  }

  /** Of one state; returns how many of them still waited. */
  take(state: BullMQState, jobs: readonly StoredJob[]): Promise<number> {
    const ids = jobs.map(({ id }) => id);
    return this.#run(take, { jobs: this.#part(state), taken: this.#taken }, { state, ids });
  }

  /** What was taken and neither dropped nor put back, also by a migration that was killed. */
  async taken(count: number): Promise<StoredJob[]> {
    return jobsOf(await this.#run(taken, { taken: this.#taken }, { prefix: this.#prefix, count }));
  }

  async drop(jobs: readonly StoredJob[]): Promise<void> {
    if (jobs.length > 0)
      await this.#run(drop, { taken: this.#taken }, { prefix: this.#prefix, places: placesOf(jobs) });
  }

  async putBack(jobs: readonly StoredJob[]): Promise<void> {
    for (const state of new Set(jobs.map(({ state }) => state))) {
      const keys = {
        taken: this.#taken,
        jobs: this.#part(state),
        meta: this.#part("meta"),
        marker: this.#part("marker"),
      };
      await this.#run(putBack, keys, { places: placesOf(jobs.filter((job) => job.state === state)) });
    }
  }

  async survey(): Promise<Omit<SurveyResult, "schedules"> & { readonly schedules: readonly StoredSchedule[] }> {
    const keys = {
      active: this.#part("active"),
      parents: this.#part("waiting-children"),
      failed: this.#part("failed"),
      completed: this.#part("completed"),
      meta: this.#part("meta"),
      schedulers: this.#part("repeat"),
    };
    const schedules: StoredSchedule[] = [];
    for (;;) {
      const answer = await this.#run(survey, keys, { skip: schedules.length, count: SCHEDULES_PER_PAGE });
      const page = rowsOf(answer.schedules, SCHEDULE_FIELDS).map(scheduleOf);
      schedules.push(...page);
      if (page.length < SCHEDULES_PER_PAGE) return { ...answer, schedules };
    }
  }

  get #taken(): string {
    return this.#part("holdfast-taken");
  }

  #part(part: string): string {
    return `${this.#prefix}${part}`;
  }

  #run<Keys, Args, Result>(
    script: Parameters<typeof runScript<Keys, Args, Result>>[1],
    keys: Keys,
    args: Args,
  ): Promise<Result> {
    return runScript(this.#driver, script, keys, args, { op: CALL, key: this.key });
  }
}

function placesOf(jobs: readonly StoredJob[]): Arg[] & string[] {
  return jobs.flatMap(({ state, score, id }) => [state, score, id]);
}

function rowsOf(flat: readonly (Buffer | null)[], width: number): Texts[] {
  return Array.from({ length: flat.length / width }, (_, at) =>
    flat.slice(at * width, (at + 1) * width).map((bytes) => bytes?.toString("utf8")),
  );
}

function jobsOf(flat: readonly (Buffer | null)[]): StoredJob[] {
  return rowsOf(flat, JOB_FIELDS).map(
    ([
      state,
      id,
      score = "",
      name = "",
      data,
      opts,
      timestamp,
      priority,
      attemptsMade,
      deid,
      rjk,
      parent,
      family,
      taken,
    ]) => ({
      state: state as BullMQState,
      id: id!,
      score,
      name,
      data,
      opts: opts === undefined ? {} : (JSON.parse(opts) as Record<string, unknown>),
      timestamp: Number(timestamp ?? 0),
      priority: Number(priority ?? 0),
      attemptsMade: Number(attemptsMade ?? 0),
      deduplicationId: deid,
      deduplicationMs: taken === undefined || taken === "" ? undefined : Number(taken),
      isScheduled: rjk !== undefined,
      isChild: parent !== undefined && parent !== "",
      isParent: Number(family) > 0,
    }),
  );
}

function scheduleOf([
  id,
  nextAt,
  name = "",
  pattern,
  every,
  timeZone,
  startDate,
  endDate,
  limit,
  data,
]: Texts): StoredSchedule {
  return { id: id!, nextAt: Number(nextAt), name, pattern, every, timeZone, startDate, endDate, limit, data };
}
