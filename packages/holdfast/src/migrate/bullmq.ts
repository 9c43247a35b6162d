/**
 * Moves the jobs of a BullMQ queue into a queue of ours, while BullMQ's workers go on.
 *
 * Promises: a job is in one of the two queues at every step, whatever is killed, and run again the migration goes on where it was. Each
 * batch is first taken out of BullMQ's reach, into a list beside its queue (`<prefix>:<name>:holdfast-taken`), then added here, then removed there. What BullMQ runs is
 * never touched. A job whose batch was added and not yet removed when the migration died is known by its id, for a day.
 */
import { checkSignal } from "../base/abort.ts";
import { AbortedError, CodecError, InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, type OptionNames, parseOptions, wholeBetween } from "../base/options.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { QueueAddOptions } from "../queue/add-options.ts";
import type { Queue } from "../queue/queue.ts";
import { type BullMQSchedule, bullMQSchedule } from "./schedules.ts";
import { BullMQSource, type BullMQState, type StoredJob } from "./source.ts";
import { type BullMQJob, bullMQJob } from "./translate.ts";

export interface BullMQMigrationSource {
  /** The server that BullMQ is on: a handle, which stays open, or a URL. */
  readonly connection: Holdfast | string;
  /** The queue's name in BullMQ. */
  readonly name: string;
  /** @default "bull" */
  readonly prefix?: string;
}

/** What becomes of one job. */
export interface BullMQMapped<Payload> {
  readonly payload: Payload;
  /** Beside or instead of those that it would be moved with. */
  readonly options?: QueueAddOptions;
}

export interface BullMQMigrationOptions<Payload> {
  readonly from: BullMQMigrationSource;
  readonly to: Pick<Queue<Payload>, "add">;
  /** Undefined: the job stays in BullMQ. May be asked more than once for a job. @default its data is the payload */
  readonly map?: (job: BullMQJob) => BullMQMapped<Payload> | undefined;
  /** Jobs that have failed: left, or moved to run again with all their attempts. @default "leave" */
  readonly failed?: "leave" | "retry";
  /** Changes nothing and reports what would be moved. @default false */
  readonly dryRun?: boolean;
  /** Jobs per step. @default 200 */
  readonly batch?: number;
  /** Stops between two steps. */
  readonly signal?: AbortSignal;
}

export interface BullMQMigrationResult {
  /** By where they were in BullMQ; in a dry run what would be moved. */
  readonly moved: Readonly<Record<BullMQJob["state"], number>>;
  /** Of them, how many were not added, as their id or deduplication id is that of a job here. */
  readonly duplicates: number;
  /** What is in BullMQ still. */
  readonly left: BullMQLeft;
  /** Up to 100 of the jobs that this queue refuses, such as for its schema. */
  readonly problems: readonly { readonly id: string; readonly message: string }[];
  /** BullMQ's queue is paused; ours is not by that. */
  readonly isPaused: boolean;
  /** Job schedulers, to be set here by their `code` and removed there. */
  readonly schedules: readonly BullMQSchedule[];
  /** Back-offs that the moved jobs had, by how many: here they are options of the queue. */
  readonly backoffs: Readonly<Record<string, number>>;
}

export interface BullMQLeft {
  /** BullMQ's workers run them. */
  readonly active: number;
  /** Jobs that are or were parents of a flow. */
  readonly parents: number;
  readonly children: number;
  /** Next runs of job schedulers. */
  readonly scheduled: number;
  /** For which `map` returned undefined. */
  readonly unmapped: number;
  /** That this queue refused; see `problems`. */
  readonly refused: number;
  /** Whose data is gone. */
  readonly broken: number;
  readonly failed: number;
  readonly completed: number;
}

type Left = "parents" | "children" | "scheduled" | "unmapped" | "refused" | "broken";

const OPTIONS: OptionNames<BullMQMigrationOptions<unknown>> = {
  from: true,
  to: true,
  map: true,
  failed: true,
  dryRun: true,
  batch: true,
  signal: true,
};
const SOURCE_OPTIONS: OptionNames<BullMQMigrationSource> = { connection: true, name: true, prefix: true };
const WHERE = "migrateFromBullMQ";
const MAX_BATCH = 1_000;
const MAX_PROBLEMS = 100;

/**
 * Moves waiting, prioritised and delayed jobs out of a queue of BullMQ. Run it again after whatever stopped it.
 * Cost: four scripts per batch on BullMQ's server and one per 200 jobs here.
 * @throws AbortedError once `signal` aborts; what was moved is moved
 * @example
 * const report = await migrateFromBullMQ({ from: { connection: process.env.BULL_URL!, name: "emails" }, to: hf.queue("emails") });
 */
export async function migrateFromBullMQ<Payload>(
  options: BullMQMigrationOptions<Payload>,
): Promise<BullMQMigrationResult> {
  const { connection, prefix, name, ...settings } = parseOptions(WHERE, options, OPTIONS, checked);
  const hf = typeof connection === "string" ? await connect(connection) : connection;
  try {
    return await new Migration(new BullMQSource(hf.driver, prefix, name), settings).run();
  } finally {
    if (typeof connection === "string") await hf.close();
  }
}

interface Settings<Payload> {
  readonly to: Pick<Queue<Payload>, "add">;
  readonly map: (job: BullMQJob) => BullMQMapped<Payload> | undefined;
  readonly failed: "leave" | "retry";
  readonly dryRun: boolean;
  readonly batch: number;
  readonly signal: AbortSignal | undefined;
}

function checked<Payload>(
  options: BullMQMigrationOptions<Payload>,
): Settings<Payload> & Required<BullMQMigrationSource> {
  const {
    to,
    map = ({ data }) => ({ payload: data as Payload }),
    failed = "leave",
    dryRun = false,
    batch = 200,
  } = options;
  const { connection, name, prefix = "bull" } = givenOptions(options.from, SOURCE_OPTIONS, "from");
  if (typeof name !== "string" || name === "") throw new InvalidArgumentError("from.name", "a queue's name", name);
  if (typeof prefix !== "string") throw new InvalidArgumentError("from.prefix", "a string", prefix);
  if (typeof connection !== "string" && typeof Object(connection).driver !== "object")
    throw new InvalidArgumentError("from.connection", "a handle or a URL", undefined);
  if (typeof Object(to).add !== "function") throw new InvalidArgumentError("to", "a queue", undefined);
  if (typeof map !== "function") throw new InvalidArgumentError("map", "a function", map);
  if (failed !== "leave" && failed !== "retry") throw new InvalidArgumentError("failed", '"leave" or "retry"', failed);
  if (typeof dryRun !== "boolean") throw new InvalidArgumentError("dryRun", "a boolean", dryRun);
  return {
    connection,
    name,
    prefix,
    to,
    map,
    failed,
    dryRun,
    batch: wholeBetween("batch", batch, 1, MAX_BATCH),
    signal: checkSignal(options.signal),
  };
}

class Migration<Payload> {
  readonly #source: BullMQSource;
  readonly #settings: Settings<Payload>;
  readonly #moved = { waiting: 0, prioritized: 0, delayed: 0, failed: 0 };
  /** Ids that stay, by why. */
  readonly #left = new Map<string, Left>();
  readonly #problems: { readonly id: string; readonly message: string }[] = [];
  readonly #backoffs: Record<string, number> = {};
  #duplicates = 0;

  constructor(source: BullMQSource, settings: Settings<Payload>) {
    this.#source = source;
    this.#settings = settings;
  }

  async run(): Promise<BullMQMigrationResult> {
    const states: BullMQState[] = ["paused", "wait", "prioritized", "delayed"];
    if (this.#settings.failed === "retry") states.push("failed");
    await this.#finish();
    // BullMQ promotes delayed jobs and gives jobs back meanwhile, so what was passed is looked at again.
    for (let hasMoved = true; hasMoved;) {
      hasMoved = false;
      for (const state of states) hasMoved = (await this.#empty(state)) || hasMoved;
    }
    return this.#report();
  }

  /** Those that are next first; true where any was moved. */
  async #empty(state: BullMQState): Promise<boolean> {
    const { batch, dryRun } = this.#settings;
    let [skip, hasMoved] = [0, false];
    for (;;) {
      this.#checkSignal();
      const found = await this.#source.peek(state, skip, batch);
      if (found.length === 0) return hasMoved;
      const movable = found.filter((stored) => this.#mapped(stored) !== undefined);
      if (dryRun) {
        for (const stored of movable) this.#count(stored);
        skip += found.length;
        continue;
      }
      skip += found.length - movable.length;
      if (movable.length === 0) continue;
      hasMoved = (await this.#source.take(state, movable)) > 0 || hasMoved;
      await this.#finish();
    }
  }

  /** What was taken is added here and removed there, or put back. */
  async #finish(): Promise<void> {
    if (this.#settings.dryRun) return;
    for (;;) {
      this.#checkSignal();
      const taken = await this.#source.taken(this.#settings.batch);
      if (taken.length === 0) return;
      const added = await Promise.all(taken.map((stored) => this.#add(stored)));
      await this.#source.drop(taken.filter((_, at) => added[at]));
      await this.#source.putBack(taken.filter((_, at) => !added[at]));
    }
  }

  /** False where it cannot be moved. */
  async #add(stored: StoredJob): Promise<boolean> {
    const mapped = this.#mapped(stored);
    if (mapped === undefined) return false;
    try {
      const { status } = await this.#settings.to.add(mapped.payload, mapped.options as QueueAddOptions<never>);
      if (status === "duplicate") this.#duplicates += 1;
      this.#count(stored);
      return true;
    } catch (error) {
      if (!(error instanceof InvalidArgumentError || error instanceof CodecError)) throw error;
      this.#left.set(stored.id, "refused");
      if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ id: stored.id, message: error.message });
      return false;
    }
  }

  #mapped(stored: StoredJob): BullMQMapped<Payload> | undefined {
    if (this.#left.get(stored.id) === "refused") return undefined;
    const why = obstacle(stored);
    const job = why === undefined ? bullMQJob(stored, this.#source.key) : undefined;
    const mapped = job === undefined ? undefined : this.#settings.map(job);
    if (job !== undefined && mapped !== undefined) {
      this.#left.delete(stored.id);
      return { payload: mapped.payload, options: { ...job.options, ...mapped.options } };
    }
    this.#left.set(stored.id, why ?? "unmapped");
    return undefined;
  }

  #count({ state, opts }: StoredJob): void {
    this.#moved[state === "wait" || state === "paused" ? "waiting" : state] += 1;
    const { backoff } = opts;
    if (backoff === undefined || backoff === null) return;
    const { type, delay } =
      typeof backoff === "object" ? (backoff as Record<string, unknown>) : { type: "fixed", delay: backoff };
    const words = `${String(type)} ${String(delay)} ms`;
    this.#backoffs[words] = (this.#backoffs[words] ?? 0) + 1;
  }

  async #report(): Promise<BullMQMigrationResult> {
    const { active, parents, failed, completed, paused, schedules } = await this.#source.survey();
    const left = { parents, children: 0, scheduled: 0, unmapped: 0, refused: 0, broken: 0 };
    for (const why of this.#left.values()) left[why] += 1;
    return {
      moved: this.#moved,
      duplicates: this.#duplicates,
      left: { active, ...left, failed, completed },
      problems: this.#problems,
      isPaused: paused,
      schedules: schedules.map(bullMQSchedule),
      backoffs: this.#backoffs,
    };
  }

  #checkSignal(): void {
    const { signal } = this.#settings;
    if (signal?.aborted === true)
      throw new AbortedError(`${WHERE}: stopped by its signal; run it again to go on`, {
        op: WHERE,
        cause: signal.reason,
      });
  }
}

/** Why a job cannot be moved, whatever `map` says. */
function obstacle({ data, isParent, isChild, isScheduled }: StoredJob): Left | undefined {
  if (data === undefined) return "broken";
  if (isParent) return "parents";
  if (isChild) return "children";
  return isScheduled ? "scheduled" : undefined;
}
