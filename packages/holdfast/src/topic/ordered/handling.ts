/** Calls the user's handler, and decides what becomes of a message whose handler has failed. */
import { inform } from "../../base/inform.ts";
import { type Door, isThenable } from "../../base/door.ts";
import type { Runtime } from "../../base/runtime.ts";
import { backoffMs } from "../../core/retry/backoff.ts";
import type { TopicMessage } from "../message.ts";
import type { Changes, TopicStateChanges } from "../state/changes.ts";
import type { OrderedSettings } from "./options.ts";
import { FINISHED, type Outcome, type Performer } from "./scheduler.ts";
import type { Share, Work } from "./share.ts";

export interface TopicOrderedContext {
  /** Aborts when what the handler does does not count any more: the partition is lost, or was moved, or `drain` is over. */
  readonly signal: AbortSignal;
  /** Rises with each owner of the message's partition: what it guards refuses a lower one. */
  readonly fence: number;
  /** Which delivery of this message it is, the first one 1; of several messages the highest. */
  readonly delivery: number;
}

export interface TopicTransactionalContext extends TopicOrderedContext {
  /** What the subscription keeps in the partition of these messages: changes are carried out with the commit that passes them, once, or not at all. */
  readonly state: TopicStateChanges;
}

export type TopicTransactionalHandler<T> = (message: TopicMessage<T>, context: TopicTransactionalContext) => unknown;

/** Where it throws, or returns an error for one, nothing that it has changed is kept: the messages are then delivered one by one. */
export type TopicTransactionalManyHandler<T> = (
  messages: readonly TopicMessage<T>[],
  context: TopicTransactionalContext,
) => unknown;

/** What it throws is a failure: the message is delivered again. */
export type TopicOrderedHandler<T> = (message: TopicMessage<T>, context: TopicOrderedContext) => unknown;

/**
 * Given up to `size` messages of one partition, in their order. Where it returns nothing all of them are done; else it returns an array with
 * undefined, or an error, for each. What it throws fails all of them: they are then delivered one by one.
 */
export type TopicOrderedManyHandler<T> = (
  messages: readonly TopicMessage<T>[],
  context: TopicOrderedContext,
) => unknown;

export interface Counts {
  handled: number;
  failed: number;
  dead: number;
  skipped: number;
}

export interface HandlingParts<T> {
  readonly runtime: Runtime;
  readonly settings: OrderedSettings;
  readonly door: Door;
  readonly handler: TopicTransactionalHandler<T> | undefined;
  readonly manyHandler: TopicTransactionalManyHandler<T> | undefined;
  /** Resolves when there is room for what a call changes of the state. */
  readonly room: (share: Share) => Promise<void>;
  readonly decode: (work: Work) => TopicMessage<T>;
  /** Resolves when the message is among the dead letters; false: it could not be before the partition was lost. */
  readonly bury: (work: Work, reason: "exhausted" | "undecodable", error: unknown) => Promise<boolean>;
  /** Ends the subscription in front of a message. */
  readonly stop: (error: unknown) => void;
}

const LEFT: Outcome = { status: "left" };
/** It is delivered again at once, for it alone. */
const ALONE: Outcome = { status: "again", delayMs: 0 };

export class Handling<T> implements Performer {
  readonly counts: Counts = { handled: 0, failed: 0, dead: 0, skipped: 0 };
  readonly #parts: HandlingParts<T>;

  constructor(parts: HandlingParts<T>) {
    this.#parts = parts;
  }

  one(work: Work): Outcome | Promise<Outcome> {
    const { handler, door } = this.#parts;
    const delivery = work.failures + 1;
    let message: TopicMessage<T>;
    try {
      message = this.#parts.decode(work);
    } catch (error) {
      return this.#giveUp(work, "undecodable", error);
    }
    try {
      const returned =
        work.share.state === undefined
          ? door.call(handler!, message, contextOf(work.share, delivery))
          : this.#call([work], delivery, (context) => door.enter(() => handler!(message, context)));
      if (isThenable(returned)) return this.#ended(work, returned);
    } catch (error) {
      return this.#failed(work, error);
    }
    this.counts.handled += 1;
    return FINISHED;
  }

  async #ended(work: Work, returned: PromiseLike<unknown>): Promise<Outcome> {
    try {
      await returned;
    } catch (error) {
      return this.#failed(work, error);
    }
    this.counts.handled += 1;
    return FINISHED;
  }

  /** Of a transactional subscription, with its state. What the call returns or throws. */
  async #call<R>(
    works: readonly Work[],
    delivery: number,
    handle: (context: TopicTransactionalContext) => R,
    isWell: (returned: Awaited<R>) => boolean = () => true,
  ): Promise<Awaited<R>> {
    const { share } = works[0]!;
    const { state } = share;
    if (state === undefined) return await handle(contextOf(share, delivery));
    if (state.isFull) await this.#parts.room(share);
    const changes = state.begin();
    let returned: Awaited<R>;
    try {
      returned = await handle(contextOf(share, delivery, changes));
    } finally {
      changes.close();
    }
    if (isWell(returned) && changes.all.size > 0) works[0]!.resolved = await state.resolve(changes);
    return returned;
  }

  report(error: unknown): void {
    inform(() => this.#parts.settings.onError?.(error));
  }

  async many(works: readonly Work[]): Promise<readonly Outcome[]> {
    const { manyHandler, door } = this.#parts;
    const outcomes = new Map<Work, Outcome>();
    const messages: TopicMessage<T>[] = [];
    const given: Work[] = [];
    for (const work of works) {
      try {
        messages.push(this.#parts.decode(work));
        given.push(work);
      } catch (error) {
        // Only where all before it are committed it can be a dead letter.
        if (work.share.state !== undefined && works.length > 1) return works.map(() => ALONE);
        outcomes.set(work, await this.#giveUp(work, "undecodable", error));
      }
    }
    if (given.length > 0) {
      const delivery = given.reduce((most, { failures }) => Math.max(most, failures + 1), 1);
      let errors: readonly unknown[];
      try {
        errors = await this.#call(
          given,
          delivery,
          async (context) => errorsOf(await door.enter(() => manyHandler!(messages, context)), given.length),
          areAllDone,
        );
        const failed = errors.find((error) => error !== undefined);
        // Nothing of it is kept.
        if (works[0]!.share.state !== undefined && failed !== undefined)
          errors = given.map((_, at) => errors[at] ?? failed);
      } catch (error) {
        errors = given.map(() => error ?? new Error("the handler threw undefined"));
      }
      for (const [at, work] of given.entries()) {
        const error = errors[at];
        if (error === undefined) this.counts.handled += 1;
        outcomes.set(work, error === undefined ? FINISHED : await this.#failed(work, error, given.length > 1));
      }
    }
    return works.map((work) => outcomes.get(work)!);
  }

  /** @param amongOthers the next delivery is for it alone: at once, and it is not given up before */
  async #failed(work: Work, error: unknown, amongOthers = false): Promise<Outcome> {
    const { settings, runtime } = this.#parts;
    this.counts.failed += 1;
    this.report(error);
    if (work.share.isOver) return LEFT;
    if (amongOthers) return ALONE;
    work.share.fail(work);
    if (work.failures >= settings.maxDeliveries) return this.#giveUp(work, "exhausted", error);
    const delayMs = backoffMs(runtime, settings.backoff, work.failures, error, (fault) => this.report(fault));
    return { status: "again", delayMs };
  }

  async #giveUp(work: Work, reason: "exhausted" | "undecodable", error: unknown): Promise<Outcome> {
    const { settings, bury, stop } = this.#parts;
    if (reason === "undecodable") this.report(error);
    if (settings.onExhausted === "stop") {
      stop(error);
      return LEFT;
    }
    if (settings.onExhausted === "skip") this.counts.skipped += 1;
    else if (!(await bury(work, reason, error))) return LEFT;
    else this.counts.dead += 1;
    return FINISHED;
  }
}

/** Only handlers of transactional subscriptions, which have a state, are typed to look at it. */
function contextOf(share: Share, delivery: number, changes?: Changes): TopicTransactionalContext {
  const context = { signal: share.signal, fence: share.fence, delivery };
  return (changes === undefined ? context : { ...context, state: changes }) as TopicTransactionalContext;
}

function areAllDone(errors: readonly unknown[]): boolean {
  return errors.every((error) => error === undefined);
}

/** What the handler of several returned, as an error or undefined for each. */
function errorsOf(returned: unknown, count: number): readonly unknown[] {
  if (returned === undefined) return [];
  if (!Array.isArray(returned) || returned.length !== count) {
    const got = Array.isArray(returned) ? `an array of ${returned.length}` : `a value of type ${typeof returned}`;
    throw new TypeError(
      `the handler returned ${got}: it is to return nothing, or an array with undefined or an error for each of its ${count} messages`,
    );
  }
  return returned.map((each: unknown) => (each instanceof Error ? each : undefined));
}
