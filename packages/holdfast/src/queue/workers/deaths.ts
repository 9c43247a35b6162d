/** Jobs that report the deaths of others: each is added in the step in which the other dies, and is run by a worker's `onDead`. */
import { InvalidArgumentError } from "../../base/errors.ts";
import type { OptionNames } from "../../base/options.ts";
import { type QueueFailure, Unhandled } from "../failure.ts";
import { type DeadRecord, decodeRecord } from "../record.ts";
import type { Run } from "../run.ts";
import type { QueueValues } from "../values.ts";

/** What such jobs are called, here and in the scripts. */
export const DEATHS = "holdfast:dead";

/** A job that is dead, and the run in which that is handled. */
export interface QueueDeath<Payload> {
  /** Of the dead job. */
  readonly id: string;
  /** @throws CodecError, or what the schema refuses: an unreadable payload may be what it died of */
  readonly payload: Payload;
  readonly name: string | undefined;
  readonly group: string | undefined;
  readonly tags: readonly string[];
  /** Milliseconds since 1970 by the server's clock. */
  readonly addedAt: number;
  /** When it died. */
  readonly at: number;
  readonly reason: string;
  readonly failures: number;
  readonly crashes: number;
  /** The last few failures, oldest first. */
  readonly history: readonly QueueFailure[];
  /** Of this run of `onDead`, from 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export interface QueueDeathOptions<Payload> {
  /**
   * Called for each job of the queue that is dead: after its last failure, `Discard`, too many crashes of its workers, or the death of one that it waited for;
   * not for what was cancelled or has expired. For each death one job is added, exactly once, in the step that buries the dead one, and it is run by any worker
   * of the queue with an `onDead`, at least once, with the queue's attempts and back-off.
   */
  readonly onDead?: (death: QueueDeath<Payload>) => unknown;
}

export type DeathHandler = (death: QueueDeath<never>) => unknown;

export const DEATH_OPTIONS: OptionNames<QueueDeathOptions<never>> = { onDead: true };

export function deathHandler({ onDead }: { readonly onDead?: unknown }): DeathHandler | undefined {
  if (onDead === undefined || typeof onDead === "function") return onDead as DeathHandler | undefined;
  throw new InvalidArgumentError("onDead", "a function", onDead);
}

/** @throws Unhandled where this worker has no handler for deaths: another one has, or had */
export function handleDeath(
  onDead: DeathHandler | undefined,
  run: Run,
  dead: DeadRecord,
  values: QueueValues<unknown, unknown>,
): unknown {
  if (onDead === undefined) throw new Unhandled("its worker has no onDead");
  return onDead(new Death(run, dead, values));
}

class Death implements QueueDeath<never> {
  readonly id: string;
  readonly name: string | undefined;
  readonly group: string | undefined;
  readonly tags: readonly string[];
  readonly addedAt: number;
  readonly at: number;
  readonly reason: string;
  readonly failures: number;
  readonly crashes: number;
  readonly history: readonly QueueFailure[];
  readonly attempt: number;
  readonly #run: Run;
  readonly #values: QueueValues<unknown, unknown>;

  constructor(run: Run, { id, crashes, reason, info, record }: DeadRecord, values: QueueValues<unknown, unknown>) {
    const { name, group, tags, addedAt } = decodeRecord(record);
    const known = info.length === 0 ? undefined : values.failures.decode(info, values.context);
    this.id = id;
    this.name = name;
    this.group = group;
    this.tags = tags;
    this.addedAt = addedAt;
    this.at = run.record.addedAt;
    this.failures = known?.failures ?? 0;
    this.crashes = crashes;
    this.history = known?.last ?? [];
    this.reason = reason || (this.history.at(-1)?.message ?? "it was given up");
    this.attempt = (run.failures?.failures ?? 0) + 1;
    this.#run = run;
    this.#values = values;
  }

  get payload(): never {
    return this.#values.payload.decode(this.#run.record.payload, this.#values.context) as never;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }
}
