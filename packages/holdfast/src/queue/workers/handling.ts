/** A queue with the handlers that a worker of several queues runs for it, made by `queue.with()`. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type OptionNames, wholeBetween } from "../../base/options.ts";
import type { Core } from "../../core/core.ts";
import type { QueueCounts } from "../overview/job-counts.ts";
import { checkAliases, type QueueWorkOptions } from "../work-options.ts";
import type { Share } from "../slots.ts";
import type { WorkerSource } from "../worker.ts";

export interface QueueWithOptions extends Pick<QueueWorkOptions, "aliases"> {
  /** How many of the worker's slots the queue has while others want them too, beside their weights; a whole number, 1 to 1,000. @default 1 */
  readonly weight?: number;
}

export const WITH_OPTIONS: OptionNames<QueueWithOptions> = { weight: true, aliases: true };
const MAX_WEIGHT = 1_000;

export function withSettings({ weight = 1, aliases }: QueueWithOptions): {
  readonly weight: number;
  readonly aliases: Readonly<Record<string, string>>;
} {
  return { weight: wholeBetween("weight", weight, 1, MAX_WEIGHT), aliases: checkAliases(aliases) };
}

interface HandlingParts {
  readonly core: Core;
  readonly queue: string;
  readonly weight: number;
  readonly counts: () => Promise<QueueCounts>;
  /** What a worker takes jobs from, once it begins. */
  readonly source: (pollMs: number, share: Share) => WorkerSource;
}

export class QueueHandling {
  readonly #parts: HandlingParts;

  constructor(parts: HandlingParts) {
    this.#parts = parts;
  }

  /** @internal */
  static partsOf(handling: QueueHandling): HandlingParts {
    return handling.#parts;
  }

  static is(value: unknown): value is QueueHandling {
    return typeof value === "object" && value !== null && #parts in value;
  }
}

/** Of one worker: at least one, of queues of this handle, each once. */
export function checkHandlings(core: Core, given: unknown): readonly HandlingParts[] {
  if (!Array.isArray(given) || given.length === 0 || !given.every((handling) => QueueHandling.is(handling)))
    throw new InvalidArgumentError("handlings", "a list of what queue.with() returned", given);
  const parts = given.map((handling) => QueueHandling.partsOf(handling));
  if (parts.some((each) => each.core !== core))
    throw new InvalidArgumentError("handlings", "queues of this handle", undefined);
  if (new Set(parts.map(({ queue }) => queue)).size < parts.length)
    throw new InvalidArgumentError("handlings", "each queue once, with a handler for each name", undefined);
  return parts;
}
