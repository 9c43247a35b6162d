/** Waiting for how a job ends. */
import { AbortedError, TimeoutError } from "../../base/errors.ts";
import { checkSignal } from "../../base/abort.ts";
import { type Duration, type OptionNames, toTimerMs } from "../../base/options.ts";
import type { Core } from "../../core/core.ts";
import type { Partitions } from "../partitions.ts";
import { type Outcome, outcomeFrom, type QueueValues } from "../values.ts";
import { infoFrom, OUTCOME, type QueueJobInfo } from "./info.ts";

export interface QueueResultOptions {
  /** @default "30s" */
  readonly timeout?: Duration;
  readonly signal?: AbortSignal;
}

/** `missing`: there is no such job, and no result of one (any more, or because it was added without `result: true`). */
export type QueueResult<Result> = Outcome<Result> | { readonly status: "missing" };

export interface ResultSettings {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

export const RESULT_OPTIONS: OptionNames<QueueResultOptions> = { timeout: true, signal: true };
/** A wake-up may be lost. */
const POLL_MS = 2_000;

export function resultSettings({ timeout = "30s", signal }: QueueResultOptions): ResultSettings {
  return { timeoutMs: toTimerMs("timeout", timeout, 0), signal: checkSignal(signal) };
}

export class QueueResults<Payload, Result> {
  readonly #core: Core;
  readonly #partitions: Partitions;
  readonly #values: QueueValues<Payload, Result>;

  constructor(core: Core, partitions: Partitions, values: QueueValues<Payload, Result>) {
    this.#core = core;
    this.#partitions = partitions;
    this.#values = values;
  }

  async wait(where: string, id: string, { timeoutMs, signal }: ResultSettings): Promise<QueueResult<Result>> {
    const { runtime } = this.#core.driver;
    const deadline = runtime.now() + timeoutMs;
    const waiter = await this.#core.wakeups.join(this.#partitions.of(id).keys.result(id));
    const details = { op: "queue.result", key: id };
    try {
      for (;;) {
        const outcome = await this.#outcome(id);
        if (outcome !== undefined) return outcome;
        const leftMs = deadline - runtime.now();
        if (leftMs <= 0) throw new TimeoutError(`${where}: job ${id} has not ended in time`, details);
        await waiter.next(Math.min(leftMs, POLL_MS), signal);
        if (signal?.aborted === true)
          throw new AbortedError("the caller stopped waiting for the result", { ...details, cause: signal.reason });
      }
    } finally {
      waiter.leave();
    }
  }

  /** Undefined: it has not ended. */
  async #outcome(id: string): Promise<QueueResult<Result> | undefined> {
    const { store, jobs } = this.#partitions.of(id);
    const bytes = await store.outcome(id, undefined);
    if (bytes !== null) return outcomeFrom(this.#values, bytes);
    const row = await jobs.find(id);
    if (row === undefined) {
      // It may have ended between the two questions.
      const again = await store.outcome(id, undefined);
      return again === null ? { status: "missing" } : undefined;
    }
    const job = infoFrom(this.#values, id, row);
    if (job.state === "completed") return outcomeFrom(this.#values, row[OUTCOME]!);
    if (job.state !== "dead") return undefined;
    return { status: "dead", message: deathOf(job) };
  }
}

function deathOf({ reason, history, crashes }: QueueJobInfo<unknown>): string {
  return reason ?? history.at(-1)?.message ?? `${crashes} of its workers died while they ran it`;
}
