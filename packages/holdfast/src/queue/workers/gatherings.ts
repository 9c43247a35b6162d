/**
 * Jobs that one call of a handler is given. They are claimed, held, ended and counted one by one, as any others; only their turns come
 * together, and each gets its own part of what the handler returns.
 *
 *     join -> gathers, until it is full or its time is over -> waits for one of the calls to end -> begins -> is called when all have arrived
 *
 * A job that is called off while it waits leaves; what begins is what is left.
 */
import { types } from "node:util";
import { onAbort } from "../../base/abort.ts";
import { Deferred } from "../../base/deferred.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";
import { Blocked } from "../failure.ts";
import type { QueueJob } from "../job.ts";
import type { Run } from "../run.ts";
import type { Slots } from "../slots.ts";
import { GivenUp, Parked, Undoing } from "../steps/suspension.ts";

/** A job of several that one call of a handler is given: as any other, without what ends its run to go on later. */
export type QueueManyJob<Payload> = Omit<
  QueueJob<Payload>,
  "step" | "compensate" | "sleep" | "waitFor" | "iterate" | "spawn"
>;

/**
 * Given up to `size` jobs. Where it returns nothing all of them are done; else it returns an array with the result of each, in their order, or
 * an error (`Discard`, `RetryAfter`, `Snooze` and `Limited` among them) for one that failed. What it throws fails all of them.
 */
export type QueueManyHandler<Payload, Result = unknown> = (
  jobs: readonly QueueManyJob<Payload>[],
) => ManyOutcome<Result> | Promise<ManyOutcome<Result>>;

// oxlint-disable-next-line typescript/no-invalid-void-type -- a handler that returns nothing
type ManyOutcome<Result> = readonly (Result | Error)[] | undefined | void;

export interface ManySettings {
  readonly size: number;
  readonly lingerMs: number;
  /** Calls at once. */
  readonly calls: number;
  readonly oneGroup: boolean;
}

interface Arrival {
  readonly job: QueueJob<never>;
  readonly outcome: Deferred<unknown>;
}

interface Gathering {
  readonly key: string;
  /** In the order in which they were claimed. */
  readonly members: Map<Run, Deferred<void>>;
  readonly arrived: Map<Run, Arrival>;
  timer: Timer | undefined;
  /** Slots that it holds beside its jobs'. */
  spare: number;
  state: "gathers" | "waits" | "begun" | "called";
}

export class Gatherings {
  readonly #runtime: Runtime;
  readonly #settings: ManySettings;
  readonly #slots: Slots;
  readonly #handler: QueueManyHandler<never>;
  readonly #of = new Map<Run, Gathering>();
  /** Those that are not full, by group. */
  readonly #open = new Map<string, Gathering>();
  readonly #waiting: Gathering[] = [];
  #begun = 0;
  #isClosing = false;

  constructor(runtime: Runtime, settings: ManySettings, slots: Slots, handler: QueueManyHandler<never>) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#slots = slots;
    this.#handler = handler;
  }

  /** Resolves when the call that the job belongs to begins; rejects where the run is called off before. */
  join(run: Run): Promise<void> {
    const key = this.#settings.oneGroup ? (run.record.group ?? "") : "";
    const gathering = this.#open.get(key) ?? this.#gather(key);
    const turn = new Deferred<void>();
    gathering.members.set(run, turn);
    this.#of.set(run, gathering);
    if (gathering.members.size === this.#settings.size) this.#isReady(gathering);
    if (run.signal.aborted) this.#calledOff(run);
    else onAbort(run.signal, () => this.#calledOff(run));
    return turn.promise;
  }

  /** The job's own part of what the handler returns. The handler is called once all that belong to the call ask for theirs. */
  outcomeOf(run: Run, job: QueueJob<never>): Promise<unknown> {
    const outcome = new Deferred<unknown>();
    const gathering = this.#of.get(run);
    if (gathering === undefined) throw run.reason;
    gathering.arrived.set(run, { job, outcome });
    this.#callIfAllArrived(gathering);
    return outcome.promise;
  }

  /** The run is over, however far it came. */
  left(run: Run): void {
    const gathering = this.#of.get(run);
    if (gathering === undefined) return;
    this.#of.delete(run);
    gathering.members.delete(run);
    if (gathering.state === "begun") {
      gathering.arrived.delete(run);
      this.#callIfAllArrived(gathering);
    }
    if (gathering.members.size > 0) return;
    if (gathering.state === "gathers") return this.#isReady(gathering);
    if (gathering.state !== "waits") this.#isOver(gathering);
  }

  /** No more are to come: none waits for others any longer. */
  close(): void {
    this.#isClosing = true;
    for (const gathering of this.#open.values()) this.#isReady(gathering);
  }

  #gather(key: string): Gathering {
    const { lingerMs } = this.#settings;
    const gathering: Gathering = {
      key,
      members: new Map(),
      arrived: new Map(),
      timer: undefined,
      spare: 0,
      state: "gathers",
    };
    this.#open.set(key, gathering);
    const end = () => this.#isReady(gathering);
    // What one claim has brought is there in the same tick.
    if (lingerMs === 0 || this.#isClosing) queueMicrotask(end);
    else gathering.timer = this.#runtime.setTimeout(end, lingerMs);
    return gathering;
  }

  /** It is full, or its time is over. Until its turn comes it takes more. */
  #isReady(gathering: Gathering): void {
    this.#runtime.clearTimeout(gathering.timer);
    if (gathering.state === "gathers") {
      gathering.state = "waits";
      this.#waiting.push(gathering);
    }
    if (gathering.members.size === this.#settings.size) this.#shut(gathering);
    this.#beginNext();
  }

  #shut(gathering: Gathering): void {
    if (this.#open.get(gathering.key) === gathering) this.#open.delete(gathering.key);
  }

  #beginNext(): void {
    while (this.#begun < this.#settings.calls) {
      const gathering = this.#waiting.shift();
      if (gathering === undefined) return;
      this.#shut(gathering);
      if (gathering.members.size > 0) this.#begin(gathering);
    }
  }

  #begin(gathering: Gathering): void {
    gathering.state = "begun";
    this.#begun += 1;
    gathering.spare = this.#settings.size - gathering.members.size;
    this.#slots.hold(gathering.spare);
    for (const turn of gathering.members.values()) turn.resolve();
  }

  #isOver({ spare }: Gathering): void {
    this.#begun -= 1;
    this.#slots.release(spare);
    this.#beginNext();
  }

  #callIfAllArrived(gathering: Gathering): void {
    const { members, arrived, state } = gathering;
    if (state !== "begun" || arrived.size < members.size || members.size === 0) return;
    gathering.state = "called";
    void this.#call([...members.keys()].map((run) => [run, arrived.get(run)!] as const));
  }

  async #call(arrivals: readonly (readonly [Run, Arrival])[]): Promise<void> {
    try {
      const returned: unknown = await this.#handler(arrivals.map(([, { job }]) => job));
      const outcomes = outcomesOf(returned, arrivals.length);
      for (const [at, [, { outcome }]] of arrivals.entries()) {
        const own = outcomes?.[at];
        if (types.isNativeError(own) || own instanceof Error) outcome.reject(own);
        else outcome.resolve(own);
      }
    } catch (error) {
      for (const [run, { outcome }] of arrivals) outcome.reject(failureOf(run, error));
    }
  }

  #calledOff(run: Run): void {
    const gathering = this.#of.get(run);
    const turn = gathering?.members.get(run);
    if (gathering === undefined || turn === undefined) return;
    // One that is no longer this worker's holds nobody up, whatever its handler does.
    if (gathering.state === "gathers" || gathering.state === "waits" || run.lost !== undefined) {
      turn.reject(run.reason);
      this.left(run);
    }
  }
}

function outcomesOf(returned: unknown, count: number): readonly unknown[] | undefined {
  if (returned === undefined) return undefined;
  const got = Array.isArray(returned) ? `an array of ${returned.length}` : `a value of type ${typeof returned}`;
  if (Array.isArray(returned) && returned.length === count) return returned;
  throw new TypeError(
    `the handler of workMany returned ${got}: it is to return nothing, or an array with a result or an error for each of its ${count} jobs`,
  );
}

/** What ends the run of one job, so that it goes on later, is a mistake of the others' handler. */
function failureOf(run: Run, error: unknown): unknown {
  const isOfOne =
    error instanceof Blocked || error instanceof Parked || error instanceof Undoing || error instanceof GivenUp;
  if (!isOfOne || run.suspended === error) return error;
  return new Error("another job of the same call ended its run to go on later, which handlers of many jobs may not do");
}
