/** Makes the workers of a queue out of handlers and options. */
import { Door } from "../../base/door.ts";
import { ClosedError } from "../../base/errors.ts";
import { parseOptions } from "../../base/options.ts";
import {
  type QueueWorkManyOptions,
  type QueueWorkOptions,
  WORK_MANY_OPTIONS,
  WORK_OPTIONS,
  workSettings,
} from "../work-options.ts";
import type { QueueCounts } from "../overview/job-counts.ts";
import type { SharedTicker } from "../schedules/ticker.ts";
import { Dispatch, type QueueHandler, type QueueHandlers } from "../names.ts";
import { handlerOf } from "../threads/handler.ts";
import { type Share, Slots } from "../slots.ts";
import { QueueWorker, type WorkerSource } from "../worker.ts";
import { Gatherings, type QueueManyHandler } from "./gatherings.ts";
import { DEATH_OPTIONS, deathHandler, type QueueDeathOptions } from "./deaths.ts";
import { admissionOf, LIMITER_OPTIONS, type QueueLimiterOptions } from "./limiting.ts";
import { QueueHandling, type QueueWithOptions, WITH_OPTIONS, withSettings } from "./handling.ts";
import type { MiddlewareChain } from "./middleware.ts";
import { checkManyHandler, workManySettings } from "./many.ts";
import type { QueueParts } from "../parts.ts";

/** Of what stands around handlers. */
const AROUND_OPTIONS = { ...DEATH_OPTIONS, ...LIMITER_OPTIONS };

type Around<Payload> = QueueDeathOptions<Payload> & QueueLimiterOptions<Payload>;

export class WorkerFactory<Payload, Result> {
  readonly #parts: QueueParts<Payload, Result>;
  readonly #middleware: MiddlewareChain;
  readonly #ticker: SharedTicker;

  constructor(parts: QueueParts<Payload, Result>, middleware: MiddlewareChain, ticker: SharedTicker) {
    this.#parts = parts;
    this.#middleware = middleware;
    this.#ticker = ticker;
  }

  work(
    handler: QueueHandler<Payload, Result> | QueueHandlers<Payload, Result> | URL,
    options: (QueueWorkOptions & Around<Payload>) | undefined,
  ): QueueWorker {
    const { core, operations } = this.#parts;
    const names = { ...WORK_OPTIONS, ...AROUND_OPTIONS };
    const { work, handlers, release } = parseOptions(operations.where, options, names, (given) => {
      const { dispatch, ...rest } = handlerOf(core.driver.runtime, handler, workSettings(given));
      return { ...rest, handlers: { dispatch, ...this.#around(given) } };
    });
    if (core.isClosing) throw new ClosedError(undefined, { op: "queue.work" });
    const door = new Door(core.handlers);
    const sources = [this.#source(handlers, work.pollMs, new Slots(work.concurrency).share())];
    return new QueueWorker({ core, sources, work, door, release });
  }

  workMany(
    handler: QueueManyHandler<Payload, Result>,
    options: (QueueWorkManyOptions & Around<Payload>) | undefined,
  ): QueueWorker {
    const { core, operations } = this.#parts;
    const names = { ...WORK_MANY_OPTIONS, ...AROUND_OPTIONS };
    const { work, many, call, around } = parseOptions(operations.where, options, names, (given) => ({
      ...workManySettings(given),
      call: checkManyHandler(handler),
      around: this.#around(given),
    }));
    if (core.isClosing) throw new ClosedError(undefined, { op: "queue.workMany" });
    const slots = new Slots(work.concurrency);
    const door = new Door(core.handlers);
    const inside: typeof call = (jobs) => door.enter(() => call(jobs));
    const gatherings = new Gatherings(core.driver.runtime, many, slots, inside);
    const handlers = { dispatch: new Dispatch(call, {}), ...around };
    const source = { ...this.#source(handlers, work.pollMs, slots.share()), gatherings };
    return new QueueWorker({ core, sources: [source], work, door, release: () => Promise.resolve() });
  }

  /** @param counts of the queue's jobs */
  with(
    handler: QueueHandler<Payload, Result> | QueueHandlers<Payload, Result>,
    options: (QueueWithOptions & Around<Payload>) | undefined,
    counts: () => Promise<QueueCounts>,
  ): QueueHandling {
    const { core, name, operations } = this.#parts;
    return parseOptions(operations.where, options, { ...WITH_OPTIONS, ...AROUND_OPTIONS }, (given) => {
      const { weight, aliases } = withSettings(given);
      const handlers = { dispatch: new Dispatch(handler, aliases), ...this.#around(given) };
      const source = (pollMs: number, share: Share) => this.#source(handlers, pollMs, share);
      return new QueueHandling({ core, queue: name, weight, source, counts });
    });
  }

  #around(given: Around<Payload>): Pick<WorkerSource, "onDead" | "admission"> {
    return { onDead: deathHandler(given), admission: admissionOf(this.#parts.name, given) };
  }

  #source(
    handlers: Pick<WorkerSource, "dispatch" | "onDead" | "admission">,
    pollMs: number,
    share: Share,
  ): WorkerSource {
    const { name, partitions, values, settings, tallies } = this.#parts;
    return {
      name,
      partitions: partitions.all,
      values,
      queue: settings,
      tallies,
      ...handlers,
      gatherings: undefined,
      middleware: this.#middleware,
      share,
      leave: this.#ticker.join(pollMs),
    };
  }
}
