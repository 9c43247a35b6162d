/** Jobs that were given up: looked at, run again, or removed. */
import { givenOptions, listOf, type OptionNames, wholeBetween } from "../base/options.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { checkName } from "./options.ts";
import { observed } from "../core/observe/observe.ts";
import type { QueueFailure } from "./failure.ts";
import { decodeRecord } from "./record.ts";
import type { QueueStore } from "./store.ts";
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
  readonly #store: QueueStore;
  readonly #values: QueueValues<Payload, unknown>;

  constructor(store: QueueStore, values: QueueValues<Payload, unknown>) {
    this.#store = store;
    this.#values = values;
  }

  /** Returns dead jobs, those that died first in front. Cost: ZRANGE, and one script per job of the page. */
  page(options?: QueueDeadPageOptions): Promise<QueueDeadPage<Payload>> {
    return observed("queue.dead.page", undefined, async () => {
      const { cursor = "0", limit = 50 } = givenOptions(options, PAGE_OPTIONS);
      const start = /^\d{1,15}$/.test(cursor) ? Number(cursor) : Number.NaN;
      if (Number.isNaN(start)) throw new InvalidArgumentError("cursor", "the cursor of a page", cursor);
      const count = wholeBetween("limit", limit, 1, MAX_PAGE);
      const found = await this.#store.deadPage(start, count);
      const jobs = await Promise.all(found.map(({ id, at }) => this.#job(id, at)));
      return {
        jobs: jobs.filter((job) => job !== undefined),
        cursor: found.length < count ? undefined : String(start + count),
      };
    });
  }

  /** Lets dead jobs run again, at the end of their lanes and with all their attempts; returns how many were dead. Idempotent. Cost: one script. */
  redrive(ids: Iterable<string>): Promise<number> {
    return observed("queue.dead.redrive", undefined, async () => {
      const wanted = listOf("ids", ids, "ids").map((id) => checkName("id", id));
      let redriven = 0;
      for (let from = 0; from < wanted.length; from += MAX_PAGE)
        redriven += await this.#store.redrive(wanted.slice(from, from + MAX_PAGE));
      return redriven;
    });
  }

  /** As `redrive`, for every job that is dead now. Cost: a script; one ZRANGE and one script more per 500 jobs. */
  redriveAll(): Promise<number> {
    return observed("queue.dead.redrive", undefined, async () => {
      // Counted before, as what dies again meanwhile would have it go on for ever.
      let { dead: left } = await this.#store.counts();
      let redriven = 0;
      while (left > 0) {
        const found = await this.#store.deadPage(0, Math.min(left, MAX_PAGE));
        if (found.length === 0) break;
        redriven += await this.#store.redrive(found.map(({ id }) => id));
        left -= found.length;
      }
      return redriven;
    });
  }

  async #job(id: string, at: number): Promise<QueueDeadJob<Payload> | undefined> {
    const found = await this.#store.find(id);
    if (found.status === "missing") return undefined;
    const info = found.meta === null ? undefined : this.#values.failures.decode(found.meta, this.#values.context);
    const payload = this.#values.payload.decode(decodeRecord(found.record).payload, this.#values.context);
    return { id, payload, at, failures: info?.failures ?? 0, crashes: found.crashes, history: info?.last ?? [] };
  }
}
