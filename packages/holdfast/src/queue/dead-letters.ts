/** Jobs that were given up: looked at, run again, or removed. */
import { givenOptions, listOf, type OptionNames, wholeBetween } from "../base/options.ts";
import type { Operations } from "../core/observe/observe.ts";
import type { QueueFailure } from "./failure.ts";
import { MAX_PAGE, type QueuePages } from "./jobs/pages.ts";
import type { QueueFilter, QueueSelection } from "./jobs/selection.ts";
import { checkName } from "./check-name.ts";
import type { Partitions } from "./partitions.ts";

export interface QueueDeadJob<Payload> {
  readonly id: string;
  /** Undefined where it cannot be read: it does not match the schema any more, or its key is gone. */
  readonly payload: Payload | undefined;
  /** Why the payload cannot be read. */
  readonly problem: string | undefined;
  /** Since when it is dead: milliseconds since 1970 by the server's clock. */
  readonly at: number;
  readonly failures: number;
  readonly crashes: number;
  /** The last few, oldest first. */
  readonly history: readonly QueueFailure[];
  /** Why it is dead, where that was not a failure of its own: a job that it waited for is dead. */
  readonly reason: string | undefined;
}

export interface QueueDeadPageOptions {
  /** Of the page before. @default the oldest */
  readonly cursor?: string;
  /** @default 50 */
  readonly limit?: number;
}

export interface QueueDeadPage<Payload> {
  readonly jobs: readonly QueueDeadJob<Payload>[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
}

export interface QueueRedriveOptions {
  readonly where: Omit<QueueFilter, "state">;
}

const PAGE_OPTIONS: OptionNames<QueueDeadPageOptions> = { cursor: true, limit: true };
const REDRIVE_OPTIONS: OptionNames<QueueRedriveOptions> = { where: true };
const WHERE_NAMES: OptionNames<QueueRedriveOptions["where"]> = {
  tag: true,
  name: true,
  group: true,
  olderThan: true,
  failure: true,
};
const CHUNK = 50;

/**
 * @example
 * const { jobs, cursor } = await emails.dead.page({ limit: 20 });
 * await emails.dead.redrive(jobs.filter(({ failures }) => failures > 0).map(({ id }) => id));
 */
export class QueueDeadLetters<Payload> {
  readonly #operations: Operations;
  readonly #partitions: Partitions;
  readonly #pages: QueuePages<Payload, unknown>;
  readonly #where: (filter: QueueFilter) => Pick<QueueSelection<Payload>, "retry">;

  constructor(
    operations: Operations,
    partitions: Partitions,
    pages: QueuePages<Payload, unknown>,
    where: (filter: QueueFilter) => Pick<QueueSelection<Payload>, "retry">,
  ) {
    this.#operations = operations;
    this.#partitions = partitions;
    this.#pages = pages;
    this.#where = where;
  }

  /** Returns dead jobs, those that died first in front; partition after partition. Cost: one script. */
  page(options?: QueueDeadPageOptions): Promise<QueueDeadPage<Payload>> {
    return this.#operations.run("dead.page", undefined, async () => {
      const { cursor, limit = 50 } = givenOptions(options, PAGE_OPTIONS);
      const page = await this.#pages.read("dead", cursor, wholeBetween("limit", limit, 1, MAX_PAGE));
      const jobs = page.jobs.map(({ id, payload, problem, finishedAt, failures, crashes, history, reason }) => ({
        id,
        payload,
        problem,
        at: finishedAt!,
        failures,
        crashes,
        history,
        reason,
      }));
      return { jobs, cursor: page.cursor };
    });
  }

  /**
   * Lets dead jobs run again, at the end of their lanes and with all their attempts; returns how many. Not one whose unique key another
   * job has by now. Idempotent. `{ where }` chooses among all dead ones, as `queue.where({ state: "dead", ... }).retry()`.
   * Cost: one script per 50 jobs; with `where` one more per 100 dead ones.
   */
  redrive(ids: Iterable<string> | QueueRedriveOptions): Promise<number> {
    return this.#operations.run("dead.redrive", undefined, async () => {
      if (isOptions(ids)) {
        const { where } = givenOptions(ids, REDRIVE_OPTIONS);
        return (await this.#where({ ...givenOptions(where, WHERE_NAMES, "where"), state: "dead" }).retry()).changed;
      }
      const wanted = listOf("ids", ids, "ids").map((id) => checkName("id", id));
      let redriven = 0;
      for (const [{ jobs }, own] of this.#partitions.sorted(wanted))
        for (let from = 0; from < own.length; from += CHUNK)
          redriven += (await jobs.retry(own.slice(from, from + CHUNK))).filter((answer) => answer === "ok").length;
      return redriven;
    });
  }

  /** As `redrive`, for every job that is dead now. Cost: a script per 100 of them, and one more per 50. */
  redriveAll(): Promise<number> {
    return this.redrive({ where: {} });
  }
}

function isOptions(given: Iterable<string> | QueueRedriveOptions): given is QueueRedriveOptions {
  return typeof given === "object" && given !== null && "where" in given;
}
