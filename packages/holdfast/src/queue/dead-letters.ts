/** Jobs that were given up: looked at, run again, or removed. */
import { givenOptions, listOf, type OptionNames, wholeBetween } from "../base/options.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { checkName } from "./options.ts";
import type { Operations } from "../core/observe/observe.ts";
import type { QueueFailure } from "./failure.ts";
import { decodeRecord } from "./record.ts";
import type { Partitions } from "./partitions.ts";
import type { QueueValues } from "./values.ts";

export interface QueueDeadJob<Payload> {
  readonly id: string;
  readonly payload: Payload;
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

const PAGE_OPTIONS: OptionNames<QueueDeadPageOptions> = { cursor: true, limit: true };
const MAX_PAGE = 500;

/**
 * @example
 * const { jobs, cursor } = await emails.dead.page({ limit: 20 });
 * await emails.dead.redrive(jobs.filter(({ failures }) => failures > 0).map(({ id }) => id));
 */
export class QueueDeadLetters<Payload> {
  readonly #operations: Operations;
  readonly #partitions: Partitions;
  readonly #values: QueueValues<Payload, unknown>;

  constructor(operations: Operations, partitions: Partitions, values: QueueValues<Payload, unknown>) {
    this.#operations = operations;
    this.#partitions = partitions;
    this.#values = values;
  }

  /** Returns dead jobs, those that died first in front; partition after partition. Cost: ZRANGE, and one script per job of the page. */
  page(options?: QueueDeadPageOptions): Promise<QueueDeadPage<Payload>> {
    return this.#operations.run("dead.page", undefined, async () => {
      const { cursor = "0.0", limit = 50 } = givenOptions(options, PAGE_OPTIONS);
      const [partition, start] = placeOf(cursor, this.#partitions.all.length);
      const count = wholeBetween("limit", limit, 1, MAX_PAGE);
      const found = await this.#partitions.all[partition]!.store.deadPage(start, count);
      const jobs = await Promise.all(found.map(({ id, at }) => this.#job(id, at)));
      const isLast = partition === this.#partitions.all.length - 1;
      const next = found.length === count ? `${partition}.${start + count}` : isLast ? undefined : `${partition + 1}.0`;
      return { jobs: jobs.filter((job) => job !== undefined), cursor: next };
    });
  }

  /**
   * Lets dead jobs run again, at the end of their lanes and with all their attempts; returns how many were dead. Idempotent.
   * Cost: one script per 500 ids of a partition.
   */
  redrive(ids: Iterable<string>): Promise<number> {
    return this.#operations.run("dead.redrive", undefined, async () => {
      const wanted = listOf("ids", ids, "ids").map((id) => checkName("id", id));
      let redriven = 0;
      for (const [partition, own] of this.#partitions.sorted(wanted))
        for (let from = 0; from < own.length; from += MAX_PAGE)
          redriven += await partition.store.redrive(own.slice(from, from + MAX_PAGE));
      return redriven;
    });
  }

  /** As `redrive`, for every job that is dead now. Cost: a script; one ZRANGE and one script more per 500 jobs. */
  redriveAll(): Promise<number> {
    return this.#operations.run("dead.redrive", undefined, async () => {
      let redriven = 0;
      for (const { store } of this.#partitions.all) {
        // Counted before, as what dies again meanwhile would have it go on for ever.
        let { dead: left } = await store.counts();
        while (left > 0) {
          const found = await store.deadPage(0, Math.min(left, MAX_PAGE));
          if (found.length === 0) break;
          redriven += await store.redrive(found.map(({ id }) => id));
          left -= found.length;
        }
      }
      return redriven;
    });
  }

  async #job(id: string, at: number): Promise<QueueDeadJob<Payload> | undefined> {
    const found = await this.#partitions.of(id).store.find(id);
    if (found.status === "missing") return undefined;
    const info =
      found.failures === null ? undefined : this.#values.failures.decode(found.failures, this.#values.context);
    const payload = this.#values.payload.decode(decodeRecord(found.record).payload, this.#values.context);
    return {
      id,
      payload,
      at,
      failures: info?.failures ?? 0,
      crashes: found.crashes,
      history: info?.last ?? [],
      reason: found.reason ?? undefined,
    };
  }
}

/** A partition's index and a place in its list. */
function placeOf(cursor: unknown, partitions: number): [number, number] {
  const [, partition = "", start = ""] = (typeof cursor === "string" && /^(\d{1,4})\.(\d{1,15})$/.exec(cursor)) || [];
  if (partition !== "" && Number(partition) < partitions) return [Number(partition), Number(start)];
  throw new InvalidArgumentError("cursor", "the cursor of a page", cursor);
}
