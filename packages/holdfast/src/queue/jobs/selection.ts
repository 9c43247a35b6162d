/** Jobs chosen by what they are, changed in chunks: `queue.where({ state: "dead", tag: "beta" }).retry()`. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, parseOptions, toMs, wholeBetween } from "../../base/options.ts";
import type { Operations } from "../../core/observe/observe.ts";
import { checkName } from "../check-name.ts";
import type { Partitions } from "../partitions.ts";
import type { QueueValues } from "../values.ts";
import { cancelOutcome } from "./changes.ts";
import type { QueueJobInfo, QueueJobState } from "./info.ts";
import { checkState, type QueuePages } from "./pages.ts";
import type { JobStore } from "./store.ts";

/** All that is given must hold. */
export interface QueueFilter {
  readonly state: QueueJobState;
  readonly tag?: string;
  /** What it was added with. */
  readonly name?: string;
  readonly group?: string;
  /** Of a dead or completed job since it ended, of another one since it was added. */
  readonly olderThan?: Duration;
  /** Found in the message of the last failure; an empty text is refused. */
  readonly failure?: string | RegExp;
}

export interface QueueSelectionOptions {
  /** Counts the jobs and changes nothing. @default false */
  readonly dryRun?: boolean;
  /** How many jobs are changed at most. @default all of them */
  readonly limit?: number | undefined;
}

/** `changed` is less than `matched` where jobs were changed by others meanwhile, or in a dry run. */
export interface QueueSelectionResult {
  readonly matched: number;
  readonly changed: number;
}

const FILTER_NAMES: OptionNames<QueueFilter> = {
  state: true,
  tag: true,
  name: true,
  group: true,
  olderThan: true,
  failure: true,
};
const SELECTION_NAMES: OptionNames<QueueSelectionOptions> = { dryRun: true, limit: true };
/** Less than a millisecond of the server's time with ten workers. */
const CHUNK = 50;

export interface SelectionParts<Payload, Result> {
  readonly partitions: Partitions;
  readonly values: QueueValues<Payload, Result>;
  readonly pages: QueuePages<Payload, Result>;
  /** The server's clock, in milliseconds. */
  readonly now: () => Promise<number>;
}

/**
 * Jobs of one state that match a filter. All jobs of that state are read, 100 at a time; each that matches is changed by a script that
 * looks again where it is. Safe to repeat.
 * @example
 * const stale = emails.where({ state: "delayed", tag: "campaign:7", olderThan: "7d" });
 * const { matched } = await stale.remove({ dryRun: true });
 */
export class QueueSelection<Payload, Result = unknown> {
  readonly #operations: Operations;
  readonly #parts: SelectionParts<Payload, Result>;
  readonly #state: QueueJobState;
  readonly #olderMs: number | undefined;
  readonly #matches: (job: QueueJobInfo<Payload, Result>) => boolean;

  constructor(operations: Operations, parts: SelectionParts<Payload, Result>, filter: QueueFilter) {
    this.#operations = operations;
    this.#parts = parts;
    const parsed = parseOptions(
      operations.where,
      filter,
      FILTER_NAMES,
      ({ state, tag, name, group, olderThan, failure }) => ({
        state: checkState(state),
        olderMs: olderThan === undefined ? undefined : toMs("olderThan", olderThan, 0),
        wanted: tag === undefined ? undefined : checkName("tag", tag),
        named: name === undefined ? undefined : checkName("name", name),
        ofGroup: group === undefined ? undefined : checkName("group", group),
        failed: failure === undefined ? undefined : matcherOf(failure),
      }),
    );
    const { wanted, named, ofGroup, failed } = parsed;
    this.#state = parsed.state;
    this.#olderMs = parsed.olderMs;
    this.#matches = ({ tags, name, group, history }) =>
      (wanted === undefined || tags.includes(wanted)) &&
      (named === undefined || name === named) &&
      (ofGroup === undefined || group === ofGroup) &&
      (failed === undefined || failed(history.at(-1)?.message ?? ""));
  }

  /** As `queue.cancel` for each; running ones are told. Cost: a script per 100 jobs of the state, and one per 50 that match. */
  cancel(reason?: string, options?: QueueSelectionOptions): Promise<QueueSelectionResult> {
    return this.#operations.run("where.cancel", undefined, async () => {
      const outcome = cancelOutcome(this.#parts.values, reason);
      return this.#each(options, ["ok", "running"], (jobs, ids) => jobs.cancel(ids, outcome));
    });
  }

  /** As `queue.retry` for each. Cost: as `cancel`. */
  retry(options?: QueueSelectionOptions): Promise<QueueSelectionResult> {
    return this.#operations.run("where.retry", undefined, () =>
      this.#each(options, ["ok"], (jobs, ids) => jobs.retry(ids)),
    );
  }

  /** As `queue.remove` for each. Cost: as `cancel`. */
  remove(options?: QueueSelectionOptions): Promise<QueueSelectionResult> {
    return this.#operations.run("where.remove", undefined, () =>
      this.#each(options, ["ok"], (jobs, ids) => jobs.remove(ids)),
    );
  }

  /** Iterates over the jobs that match. Cost: a script per 100 jobs of the state. */
  async *entries(): AsyncGenerator<QueueJobInfo<Payload, Result>> {
    for await (const jobs of this.#chunks()) yield* jobs;
  }

  async #each(
    given: QueueSelectionOptions | undefined,
    good: readonly string[],
    change: (jobs: JobStore, ids: readonly string[]) => Promise<string[]>,
  ): Promise<QueueSelectionResult> {
    const { dryRun = false, limit = Number.MAX_SAFE_INTEGER } = givenOptions(given, SELECTION_NAMES);
    if (typeof dryRun !== "boolean") throw new InvalidArgumentError("dryRun", "a boolean", dryRun);
    wholeBetween("limit", limit, 1, Number.MAX_SAFE_INTEGER);
    let [matched, changed] = [0, 0];
    for await (const found of this.#chunks()) {
      const jobs = found.slice(0, limit - matched);
      matched += jobs.length;
      const ids = dryRun ? [] : jobs.map(({ id }) => id);
      for (const [partition, own] of this.#parts.partitions.sorted(ids))
        for (let from = 0; from < own.length; from += CHUNK) {
          const answers = await change(partition.jobs, own.slice(from, from + CHUNK));
          changed += answers.filter((answer) => good.includes(answer)).length;
        }
      if (matched === limit) break;
    }
    return { matched, changed };
  }

  /** What is added, or comes back, while this goes on is not looked at: else it might never end. */
  async *#chunks(): AsyncGenerator<readonly QueueJobInfo<Payload, Result>[]> {
    const now = await this.#parts.now();
    const before = this.#olderMs === undefined ? now : now - this.#olderMs;
    for await (const jobs of this.#parts.pages.chunks(this.#state))
      yield jobs.filter((job) => (job.finishedAt ?? job.addedAt) <= before && this.#matches(job));
  }
}

function matcherOf(failure: string | RegExp): (message: string) => boolean {
  if (failure instanceof RegExp) {
    // A global one would remember where it was.
    const pattern = new RegExp(failure.source, failure.flags.replaceAll(/[gy]/g, ""));
    return (message) => pattern.test(message);
  }
  // An empty text, as a search field that was left empty has it, is in every message.
  if (typeof failure === "string" && failure !== "") return (message) => message.includes(failure);
  throw new InvalidArgumentError("failure", "a text that is not empty, or a regular expression", failure);
}
