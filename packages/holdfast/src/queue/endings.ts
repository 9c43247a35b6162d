/** How the end of a run is told to the server, where an acknowledgement is not enough: a kept result, a failure. */
import type { Core } from "../core/core.ts";
import { backoffMs, Discard, recordFailure, RetryAfter, Snooze } from "./failure.ts";
import type { QueueSettings } from "./options.ts";
import type { Run } from "./run.ts";
import type { QueueValues } from "./values.ts";
import type { Fate, WorkerStore } from "./worker-store.ts";

/** `stale`: the job was another's by then, and nothing changed. */
export type Ending = "completed" | "again" | "failed" | "dead" | "stale";

const NOTHING = Buffer.alloc(0);

export class Endings<Result> {
  readonly #core: Core;
  readonly #store: WorkerStore;
  readonly #values: Omit<QueueValues<unknown, Result>, "payload">;
  readonly #settings: QueueSettings;

  constructor(
    core: Core,
    store: WorkerStore,
    values: Omit<QueueValues<unknown, Result>, "payload">,
    settings: QueueSettings,
  ) {
    this.#core = core;
    this.#store = store;
    this.#values = values;
    this.#settings = settings;
  }

  /** What `finish` and `fail` are given: made once, before the server is asked for the first time. */
  outcomeOf(result: Result): Buffer {
    const value = this.#values.result.encode(result, this.#values.context);
    return this.#values.outcome.encode({ value }, this.#values.context);
  }

  async finish(run: Run, outcome: Buffer): Promise<Ending> {
    const fate = { fate: "done", delayMs: 0, info: NOTHING, outcome } as const;
    return (await this.#store.settle(run, fate)) ? "completed" : "stale";
  }

  async fail(run: Run, error: unknown): Promise<Ending> {
    const { ending, ...fate } = this.#verdict(run, error);
    return (await this.#store.settle(run, fate)) ? ending : "stale";
  }

  #verdict(run: Run, error: unknown): Fate & { readonly ending: Ending } {
    if (error instanceof Snooze)
      return { ending: "again", fate: "again", delayMs: error.delayMs, info: NOTHING, outcome: NOTHING };
    const failed = recordFailure(run.failures, error, Math.round(run.fence / 1_000));
    const info = this.#values.failures.encode(failed, this.#values.context);
    if (error instanceof Discard || failed.failures >= (run.record.attempts ?? this.#settings.attempts)) {
      const { message } = failed.last.at(-1)!;
      const outcome = run.record.keepsResult ? this.#values.outcome.encode({ message }, this.#values.context) : NOTHING;
      return { ending: "dead", fate: "dead", delayMs: 0, info, outcome };
    }
    const { runtime } = this.#core.driver;
    const delayMs =
      error instanceof RetryAfter ? error.delayMs : backoffMs(runtime, this.#settings.backoff, failed.failures);
    return { ending: "failed", fate: "again", delayMs, info, outcome: NOTHING };
  }
}
