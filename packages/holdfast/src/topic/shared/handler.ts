/** What a handler of a shared subscription is given, and what its end means. */
import { type Duration, givenOptions, type OptionNames, toMs } from "../../base/options.ts";
import { backoffMs } from "../../core/retry/backoff.ts";
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import { type Door, isThenable } from "../../base/door.ts";
import type { TopicMessage } from "../message.ts";
import type { TopicSource } from "../source.ts";
import type { Delivery, Outcome } from "./delivery.ts";
import type { SharedSettings } from "./options.ts";

export interface TopicRetryOptions {
  /** After how long it is delivered again, at most 365 days. @default as after a failure */
  readonly delay?: Duration;
}

/** What is done with one delivery, beside its message. What is asked for takes effect when the handler ends; of several the last. */
export interface TopicSharedContext {
  /** Aborts when the message may be with another consumer, and when the subscription is closed and `drain` is over. */
  readonly signal: AbortSignal;
  /** 1 for the first delivery; those that were given back before a handler began do not count. */
  readonly delivery: number;
  /** The message is delivered again, as after a failure. */
  readonly retry: (options?: TopicRetryOptions) => void;
  /** The message becomes a dead letter at once. */
  readonly reject: (reason?: string) => void;
}

export type TopicSharedHandler<T> = (message: TopicMessage<T>, context: TopicSharedContext) => unknown;

/** What is done with the deliveries of one call. */
export interface TopicSharedManyContext<T> {
  /** Aborts when one of them may be with another consumer, and when the subscription is closed and `drain` is over. */
  readonly signal: AbortSignal;
  /** The highest among them, 1 where all are delivered for the first time. */
  readonly delivery: number;
  readonly retry: (message: TopicMessage<T>, options?: TopicRetryOptions) => void;
  readonly reject: (message: TopicMessage<T>, reason?: string) => void;
}

/**
 * Given up to `size` messages. Where it returns nothing all of them are done; else it returns an array with undefined, or an error, for each.
 * What it throws fails all of them that it has not asked something else for.
 */
export type TopicSharedManyHandler<T> = (
  messages: readonly TopicMessage<T>[],
  context: TopicSharedManyContext<T>,
) => unknown;

/** Thrown into nobody's hands: why a message is dead that a handler has rejected. */
class Rejected extends Error {
  override readonly name: string = "Rejected";
}

const RETRY_OPTIONS: OptionNames<TopicRetryOptions> = { delay: true };
/** Of what is put back; a message of a state has no room for more. */
const MAX_DELAY_MS = 365 * 86_400_000;

type Asked =
  | { readonly verb: "retry"; readonly ms: number | undefined }
  | { readonly verb: "reject"; readonly error: Error };

class Context<T> implements TopicSharedContext {
  readonly message: TopicMessage<T>;
  readonly #delivery: Delivery;
  asked: Asked | undefined = undefined;

  constructor(delivery: Delivery, message: TopicMessage<T>) {
    this.#delivery = delivery;
    this.message = message;
  }

  get signal(): AbortSignal {
    return this.#delivery.signal;
  }

  get delivery(): number {
    return this.#delivery.number;
  }

  // Made when they are asked for, and good also where the handler takes its context apart.
  get retry(): TopicSharedContext["retry"] {
    return (options) => {
      const { delay } = givenOptions(options, RETRY_OPTIONS);
      const ms = delay === undefined ? undefined : toMs("delay", delay, 0);
      if (ms !== undefined && ms > MAX_DELAY_MS) throw new InvalidArgumentError("delay", "at most 365 days", delay);
      this.asked = { verb: "retry", ms };
    };
  }

  get reject(): TopicSharedContext["reject"] {
    return (reason = "the handler has rejected it") => {
      this.asked = { verb: "reject", error: new Rejected(reason) };
    };
  }
}

class ManyContext<T> implements TopicSharedManyContext<T> {
  readonly #contexts: readonly Context<T>[];

  constructor(contexts: readonly Context<T>[]) {
    this.#contexts = contexts;
  }

  get signal(): AbortSignal {
    return AbortSignal.any(this.#contexts.map(({ signal }) => signal));
  }

  get delivery(): number {
    return Math.max(...this.#contexts.map(({ delivery }) => delivery));
  }

  get retry(): TopicSharedManyContext<T>["retry"] {
    return (message, options) => this.#of(message).retry(options);
  }

  get reject(): TopicSharedManyContext<T>["reject"] {
    return (message, reason) => this.#of(message).reject(reason);
  }

  #of(message: TopicMessage<T>): Context<T> {
    const found = this.#contexts.find((context) => context.message === message);
    if (found !== undefined) return found;
    throw new InvalidArgumentError("message", "one of those that the handler was given", message);
  }
}

const DONE: Outcome = { verb: "ack", isSkipped: false };
const SKIPPED: Outcome = { verb: "ack", isSkipped: true };

export class Handling<T> {
  readonly #source: TopicSource<T>;
  readonly #settings: SharedSettings;
  readonly #door: Door;
  readonly #one: TopicSharedHandler<T> | undefined;
  readonly #many: TopicSharedManyHandler<T> | undefined;
  readonly #report: (error: unknown) => void;

  constructor(
    source: TopicSource<T>,
    settings: SharedSettings,
    door: Door,
    handler: {
      readonly one?: TopicSharedHandler<T> | undefined;
      readonly many?: TopicSharedManyHandler<T> | undefined;
    },
    report: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#settings = settings;
    this.#door = door;
    this.#one = handler.one;
    this.#many = handler.many;
    this.#report = report;
  }

  /** The outcome of what no handler is to see. */
  admit(delivery: Delivery): Outcome | undefined {
    const { maxDeliveries, filter } = this.#settings;
    let frame;
    try {
      frame = delivery.pack.frame(delivery.offset);
    } catch (error) {
      return { verb: "dead", reason: "undecodable", error };
    }
    const { delayMs, ttlMs } = frame;
    if (delayMs !== undefined || ttlMs !== undefined) {
      const ageMs = delivery.from.serverNow - delivery.pack.at;
      if (ttlMs !== undefined && isOver(delivery)) return SKIPPED;
      if (delayMs !== undefined && ageMs < delayMs) return putBack("release", delayMs - ageMs);
    }
    if (filter !== undefined && !this.#isWanted(filter, frame)) return SKIPPED;
    if (delivery.number <= maxDeliveries) return undefined;
    const error = new Error(`${maxDeliveries} consumers that had it ended without a word`);
    return { verb: "dead", reason: "exhausted", error };
  }

  /** The outcome: at once where the handler has returned at once. Never rejects. */
  performOne(delivery: Delivery): Outcome | Promise<Outcome> {
    // It has waited since it was admitted.
    if (isOver(delivery)) return SKIPPED;
    const context = this.#open(delivery);
    if (!(context instanceof Context)) return context;
    try {
      const returned = this.#door.call(this.#one!, context.message, context);
      if (isThenable(returned)) return this.#ended(returned, context, delivery);
    } catch (error) {
      return this.#threw(error, context, delivery);
    }
    return this.#outcome(delivery, context.asked, undefined);
  }

  async #ended(returned: PromiseLike<unknown>, context: Context<T>, delivery: Delivery): Promise<Outcome> {
    try {
      await returned;
    } catch (error) {
      return this.#threw(error, context, delivery);
    }
    return this.#outcome(delivery, context.asked, undefined);
  }

  #threw(error: unknown, { asked }: Context<T>, delivery: Delivery): Outcome {
    this.#report(error);
    return this.#outcome(delivery, asked, error ?? new Error("the handler threw nothing"));
  }

  /** What its handler is given, or the outcome where it cannot be read. */
  #open(delivery: Delivery): Context<T> | Outcome {
    try {
      return new Context(delivery, this.#source.decode(delivery.pack, delivery.offset, delivery.from.partition));
    } catch (error) {
      return error instanceof CodecError
        ? { verb: "dead", reason: "undecodable", error }
        : this.#failed(delivery, error);
    }
  }

  /** An outcome for each; never rejects. */
  async performMany(group: readonly Delivery[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = Array.from({ length: group.length });
    const contexts: Context<T>[] = [];
    const places: number[] = [];
    for (const [at, delivery] of group.entries()) {
      // It has waited since it was admitted.
      const context = isOver(delivery) ? SKIPPED : this.#open(delivery);
      if (context instanceof Context) {
        contexts.push(context);
        places.push(at);
      } else outcomes[at] = context;
    }
    if (contexts.length === 0) return outcomes;
    let errors: readonly unknown[] = [];
    try {
      const messages = contexts.map(({ message }) => message);
      const returned = await this.#door.call(this.#many!, messages, new ManyContext(contexts));
      if (Array.isArray(returned)) errors = returned;
    } catch (error) {
      errors = contexts.map(() => error ?? new Error("the handler threw nothing"));
      this.#report(error);
    }
    for (const [index, at] of places.entries())
      outcomes[at] = this.#outcome(group[at]!, contexts[index]!.asked, errors[index]);
    return outcomes;
  }

  #outcome(delivery: Delivery, asked: Asked | undefined, error: unknown): Outcome {
    if (asked === undefined) return error === undefined ? DONE : this.#failed(delivery, error);
    if (asked.verb === "reject") return { verb: "dead", reason: "rejected", error: asked.error };
    return this.#failed(delivery, error ?? new Rejected("the handler has asked for another delivery"), asked.ms);
  }

  #isWanted(filter: NonNullable<SharedSettings["filter"]>, frame: Parameters<typeof filter>[0]): boolean {
    try {
      return filter(frame);
    } catch (error) {
      this.#report(error);
      return true;
    }
  }

  #failed(delivery: Delivery, error: unknown, ms?: number): Outcome {
    const { maxDeliveries, backoff } = this.#settings;
    if (delivery.number >= maxDeliveries) return { verb: "dead", reason: "exhausted", error };
    const { runtime } = this.#source.core.driver;
    return putBack("due", ms ?? backoffMs(runtime, backoff, delivery.number, error, this.#report));
  }
}

function putBack(verb: "due" | "release", ms: number): Outcome {
  return { verb, ms: Math.min(Math.ceil(ms), MAX_DELAY_MS) };
}

/** Its `ttl` is. */
function isOver({ pack, offset, from }: Delivery): boolean {
  const { ttlMs } = pack.frame(offset);
  return ttlMs !== undefined && from.serverNow - pack.at > ttlMs;
}
