/** How the end of a run is told to the server, where an acknowledgement is not enough: a kept result, a failure. */
import type { Core } from "../core/core.ts";
import { backoffMs } from "../core/retry/backoff.ts";
import { Blocked, Discard, Limited, recordFailure, RetryAfter, Snooze, Unhandled } from "./failure.ts";
import { FanIn } from "./flows/fan-in.ts";
import type { QueueSettings } from "./options.ts";
import type { Run } from "./run.ts";
import { GivenUp, Parked, UndoFailed } from "./steps/suspension.ts";
import { warnUnlessOutage } from "./patience.ts";
import type { QueueValues } from "./values.ts";
import type { Fate, WorkerStore } from "./worker-store.ts";

/** `stale`: the job was another's by then, and nothing changed. */
export type Ending = "completed" | "again" | "failed" | "dead" | "cancelled" | "expired" | "unhandled" | "stale";

const NOTHING = Buffer.alloc(0);
/** In front of its lane, without the loss of an attempt. */
export const AGAIN: Fate & { readonly fate: "again" } = {
  fate: "again",
  delayMs: 0,
  info: NOTHING,
  outcome: NOTHING,
  isTold: false,
  told: NOTHING,
};

export interface EndingsParts<Result> {
  readonly core: Core;
  readonly queue: string;
  readonly store: WorkerStore;
  readonly values: Omit<QueueValues<unknown, Result>, "payload">;
  readonly settings: QueueSettings;
}

export class Endings<Result> {
  readonly #core: Core;
  readonly #queue: string;
  readonly #store: WorkerStore;
  readonly #values: Omit<QueueValues<unknown, Result>, "payload">;
  readonly #settings: QueueSettings;
  readonly #fanIn: FanIn;

  constructor(parts: EndingsParts<Result>) {
    this.#core = parts.core;
    this.#queue = parts.queue;
    this.#store = parts.store;
    this.#values = parts.values;
    this.#settings = parts.settings;
    this.#fanIn = new FanIn(parts.values.told);
  }

  /** What `finish` is given, made once, before the server is asked for the first time; undefined where an acknowledgement is enough. */
  successOf(run: Run, result: Result): Fate | undefined {
    const { keepsResult, waiting } = run.record;
    const { keep, events } = this.#settings;
    const isKept = keep.completed.count !== 0;
    const isAcknowledged = !keepsResult && !isKept && events === 0;
    if (isAcknowledged && !run.isCancelled && waiting.length === 0) return undefined;
    const { outcome, result: results, context } = this.#values;
    const isWanted = keepsResult || isKept;
    const ended = isWanted ? outcome.encode({ value: results.encode(result, context) }, context) : NOTHING;
    const told = this.#told(run, { value: result });
    return { fate: "done", delayMs: 0, info: NOTHING, outcome: ended, isTold: keepsResult, told };
  }

  finish(run: Run, success: Fate): Promise<Ending> {
    return this.#settled(run, success, "completed");
  }

  /** It was claimed later than it may start. */
  expire(run: Run): Promise<Ending> {
    const outcome = this.#values.outcome.encode({ expired: true }, this.#values.context);
    const told = this.#told(run, { message: "it expired" });
    return this.#settled(run, { ...AGAIN, fate: "expired", outcome, isTold: true, told }, "expired");
  }

  async fail(run: Run, error: unknown): Promise<Ending> {
    const { ending, ...fate } = this.#verdict(run, error);
    return this.#settled(run, fate, ending);
  }

  async #settled(run: Run, fate: Fate, ending: Ending): Promise<Ending> {
    const settled = await this.#store.settle(run, fate);
    if (settled === "undone") return "failed";
    return settled === "ok" ? ending : settled;
  }

  #verdict(run: Run, error: unknown): Fate & { readonly ending: Ending } {
    if (error instanceof Unhandled) return { ...AGAIN, ending: "unhandled", fate: "unhandled" };
    const again = { ...AGAIN, ending: "again", info: this.#begun(run) } as const;
    if (error instanceof Snooze) return { ...again, fate: "later", delayMs: error.delayMs };
    if (error instanceof Limited) return { ...again, fate: error.scope, delayMs: error.delayMs };
    if (error instanceof Blocked) return { ...again, fate: "blocked" };
    if (error instanceof Parked) {
      const { delayMs, signalName } = error;
      return { ...AGAIN, ending: "again", fate: "parked", delayMs, info: Buffer.from(signalName) };
    }
    if (error instanceof GivenUp)
      return this.#dead(run, NOTHING, error.reason ?? run.failures?.last.at(-1)?.message ?? error.message);
    const failed = recordFailure(run.failures, error, Math.round(run.fence / 1_000));
    const info = this.#values.failures.encode(failed, this.#values.context);
    const { message } = failed.last.at(-1)!;
    const attempts = run.record.attempts ?? this.#settings.attempts;
    // What undoes has as many attempts again.
    const most = run.isGivenUp || error instanceof UndoFailed ? 2 * attempts : attempts;
    if (error instanceof Discard || failed.failures >= most) return this.#dead(run, info, message);
    const { runtime } = this.#core.driver;
    const delayMs =
      error instanceof RetryAfter
        ? error.delayMs
        : backoffMs(runtime, this.#settings.backoff, failed.failures, error, warnUnlessOutage);
    return { ...AGAIN, ending: "failed", delayMs, info };
  }

  /** A job that has started expires no more: what is remembered of its failures says so, though there was none. */
  #begun({ record, failures }: Run): Buffer {
    if (record.expiresAt === undefined || failures !== undefined) return NOTHING;
    return this.#values.failures.encode({ failures: 0, last: [] }, this.#values.context);
  }

  #dead(run: Run, info: Buffer, message: string): Fate & { readonly ending: Ending } {
    const outcome = run.record.keepsResult ? this.#values.outcome.encode({ message }, this.#values.context) : NOTHING;
    return {
      ending: "dead",
      fate: "dead",
      delayMs: 0,
      info,
      outcome,
      isTold: true,
      told: this.#told(run, { message }),
    };
  }

  #told(run: Run, told: { readonly value?: unknown; readonly message?: string }): Buffer {
    return run.record.waiting.length === 0 ? NOTHING : this.#fanIn.encode(this.#queue, run.id, told);
  }
}
