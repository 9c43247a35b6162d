/** What stands around each `add` of a queue, and around each run of its handlers. */
import { HoldfastError, InvalidArgumentError } from "../../base/errors.ts";
import type { OptionNames } from "../../base/options.ts";
import type { QueueAddResult } from "../add-result.ts";
import type { QueueJob } from "../job.ts";
import type { QueueAddOptions } from "../add-options.ts";

/** A job that is about to be added. */
export interface QueueAddition<Payload> {
  readonly payload: Payload;
  readonly options: QueueAddOptions;
}

/**
 * @example
 * emails.use({
 *   add: ({ payload, options }, next) => next({ payload, options: { ...options, group: tenant() } }),
 *   run: (job, next) => tenants.run(job.tags[0], next),                     // an AsyncLocalStorage
 * });
 */
export interface QueueMiddleware<Payload, Result = unknown> {
  /**
   * Called for each job that is added by `add` and `addMany`, before it is checked. It passes the job on, or another payload or options, and returns what
   * `next` does; what it throws refuses the job.
   */
  readonly add?: (
    job: QueueAddition<Payload>,
    next: (job?: QueueAddition<Payload>) => Promise<QueueAddResult<Result>>,
  ) => Promise<QueueAddResult<Result>>;
  /** Called for each run of a job. What it returns is the job's result and what it throws fails the run, as if it were the handler; `next` calls that. */
  readonly run?: (job: QueueJob<Payload>, next: () => Promise<Result>) => Result | Promise<Result>;
}

export const MIDDLEWARE_OPTIONS: OptionNames<QueueMiddleware<unknown>> = { add: true, run: true };

/** Given the jobs and results that the queue's codec decodes. */
type AddLayer = NonNullable<QueueMiddleware<unknown>["add"]>;
type RunLayer = (job: never, next: () => Promise<unknown>) => unknown;

/** The first that is given is the outermost. */
export class MiddlewareChain {
  readonly #adds: AddLayer[] = [];
  readonly #runs: RunLayer[] = [];

  get isAdding(): boolean {
    return this.#adds.length > 0;
  }

  use({ add, run }: { readonly add?: unknown; readonly run?: unknown }): void {
    if (add === undefined && run === undefined)
      throw new InvalidArgumentError("middleware", "an object with the functions `add`, `run` or both", undefined);
    checkFunction("middleware.add", add);
    checkFunction("middleware.run", run);
    if (add !== undefined) this.#adds.push(add as AddLayer);
    if (run !== undefined) this.#runs.push(run as RunLayer);
  }

  async add<Result>(
    job: QueueAddition<unknown>,
    last: (job: QueueAddition<unknown>) => Promise<QueueAddResult<Result>>,
  ): Promise<QueueAddResult<Result>> {
    const layers = [...this.#adds];
    const from = async (at: number, job: QueueAddition<unknown>): Promise<QueueAddResult<Result>> => {
      const layer = layers[at];
      if (layer === undefined) return last(job);
      const next = once((other: QueueAddition<unknown> = job) => from(at + 1, other));
      const added = (await layer(job, next)) as QueueAddResult<Result> | undefined;
      if (typeof added?.status === "string") return added;
      throw new InvalidArgumentError("middleware.add", "a function that returns what next() does", added);
    };
    return from(0, job);
  }

  /** Costs nothing where there is none. */
  run<Job>(job: Job, handler: (job: Job) => unknown): unknown {
    if (this.#runs.length === 0) return handler(job);
    const layers = [...this.#runs];
    const from = async (at: number): Promise<unknown> => {
      const layer = layers[at];
      if (layer === undefined) return handler(job);
      return layer(
        job as never,
        once(() => from(at + 1)),
      );
    };
    return from(0);
  }
}

function checkFunction(field: string, given: unknown): void {
  if (given !== undefined && typeof given !== "function") throw new InvalidArgumentError(field, "a function", given);
}

function once<Args extends unknown[], T>(call: (...args: Args) => Promise<T>): (...args: Args) => Promise<T> {
  let isCalled = false;
  return async (...args) => {
    if (isCalled) throw new HoldfastError("CONFLICT", "a middleware calls next() once", { op: "queue.use" });
    isCalled = true;
    return call(...args);
  };
}
