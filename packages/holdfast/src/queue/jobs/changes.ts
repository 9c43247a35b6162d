/** Changes to jobs that were added: cancelled, changed, run again, removed. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames } from "../../base/options.ts";
import { checkName } from "../check-name.ts";
import { checkGroup, dueOf, laneOf, type QueuePriority } from "../add-options.ts";
import type { Partitions } from "../partitions.ts";
import type { QueueValues } from "../values.ts";
import type { Change } from "./store.ts";

/** What is not given stays as it is. */
export interface QueueUpdate<Payload> {
  readonly payload?: Payload;
  /** Runs no sooner than this long after now, by the server's clock. */
  readonly delay?: Duration;
  /** Runs no sooner than this: a Date, or milliseconds since 1970. */
  readonly at?: Date | number;
  readonly priority?: QueuePriority;
  /**
   * Waits at the end of its lane in this group; null: in none. In a queue of several partitions one of the job's own partition.
   */
  readonly group?: string | null;
}

/** `running`: its signal aborts, and however its run ends the job is cancelled then; or it has something to undo first. `missing`: there is none that is not over. */
export interface QueueCancelResult {
  readonly status: "ok" | "running" | "missing";
}

/**
 * `active`: it runs. `missing`: there is none that waits. `full`: as many wait in the group as may. `blocked`: it waits for other jobs, and has no
 * time of its own. Unless it is `ok` nothing has changed.
 */
export interface QueueUpdateResult {
  readonly status: "ok" | "active" | "missing" | "full" | "blocked";
}

/** `duplicate`: another job has its id or its unique key by now. */
export interface QueueRetryResult {
  readonly status: "ok" | "missing" | "duplicate";
}

/** `busy`: it runs, and stays. */
export interface QueueRemoveResult {
  readonly status: "ok" | "missing" | "busy";
}

const UPDATE_NAMES: OptionNames<QueueUpdate<unknown>> = {
  payload: true,
  delay: true,
  at: true,
  priority: true,
  group: true,
};
const MAX_REASON = 500;
const NOW: Change = { lane: "", due: "now", payload: undefined, group: undefined };

/** Why a job was cancelled of which another one took the unique key. */
export const TAKEN_OVER = "another job with its unique key was added";

export class QueueChanges<Payload> {
  readonly #partitions: Partitions;
  readonly #values: QueueValues<Payload, unknown>;

  constructor(partitions: Partitions, values: QueueValues<Payload, unknown>) {
    this.#partitions = partitions;
    this.#values = values;
  }

  async cancel(id: string, reason: string | undefined): Promise<QueueCancelResult> {
    const outcome = cancelOutcome(this.#values, reason);
    return { status: (await this.#of(id).cancel([id], outcome))[0] as QueueCancelResult["status"] };
  }

  async update(id: string, given: QueueUpdate<Payload>): Promise<QueueUpdateResult> {
    const jobs = this.#of(id);
    const { payload, priority, group, ...time } = givenOptions(given, UPDATE_NAMES, "changes");
    const change = {
      lane: priority === undefined ? "" : String(laneOf(priority)),
      due: dueOf(time),
      group: group === undefined ? undefined : this.#groupOf(id, group),
      payload: payload === undefined ? undefined : this.#values.payload.encode(payload, this.#values.context),
    };
    return { status: await jobs.update(id, change) };
  }

  async promote(id: string): Promise<QueueUpdateResult> {
    return { status: await this.#of(id).update(id, NOW) };
  }

  async retry(id: string): Promise<QueueRetryResult> {
    return { status: (await this.#of(id).retry([id]))[0] as QueueRetryResult["status"] };
  }

  async remove(id: string): Promise<QueueRemoveResult> {
    return { status: (await this.#of(id).remove([id]))[0] as QueueRemoveResult["status"] };
  }

  #groupOf(id: string, group: string | null): string {
    if (group === null) return "";
    const name = checkGroup(group);
    if (this.#partitions.hashed(name) === this.#partitions.of(id)) return name;
    throw new InvalidArgumentError("group", "a group in the partition of the job, which stays where it is", group);
  }

  #of(id: string): Partitions["first"]["jobs"] {
    return this.#partitions.of(checkName("id", id)).jobs;
  }
}

/** @throws InvalidArgumentError for one that is no text, or too long */
export function checkReason(reason: string | undefined): string | undefined {
  if (reason === undefined || (typeof reason === "string" && reason.length <= MAX_REASON)) return reason;
  throw new InvalidArgumentError("reason", `a text of at most ${MAX_REASON} characters`, reason);
}

/** @throws InvalidArgumentError as `checkReason` */
export function cancelOutcome(
  values: Pick<QueueValues<unknown, unknown>, "context" | "outcome">,
  reason: string | undefined,
): Buffer {
  return values.outcome.encode({ cancelled: checkReason(reason) ?? "" }, values.context);
}
