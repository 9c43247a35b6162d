/** What a handler of a shared subscription is given, and what its end means. */
import { type Duration, givenOptions, type OptionNames, toMs } from "../../base/options.ts";
import { backoffMs } from "../../core/retry/backoff.ts";
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import type { Door } from "../../base/door.ts";
import type { TopicMessage } from "../message.ts";
import type { TopicSource } from "../source.ts";
import type { Held, Outcome } from "./consumer.ts";
import type { SharedSettings } from "./options.ts";

export interface TopicRetryOptions {
  /** After how long it is delivered again. @default as after a failure */
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

type Asked =
  | { readonly verb: "retry"; readonly ms: number | undefined }
  | { readonly verb: "reject"; readonly error: Error };

class Context<T> implements TopicSharedContext {
  readonly message: TopicMessage<T>;
  readonly #held: Held;
  asked: Asked | undefined;

  constructor(held: Held, message: TopicMessage<T>) {
    this.#held = held;
    this.message = message;
  }

  get signal(): AbortSignal {
    return this.#held.delivery.signal;
  }

  get delivery(): number {
    return this.#held.delivery.number;
  }

  // Made when they are asked for, and good also where the handler takes its context apart.
  get retry(): TopicSharedContext["retry"] {
    return (options) => {
      const { delay } = givenOptions(options, RETRY_OPTIONS);
      this.asked = { verb: "retry", ms: delay === undefined ? undefined : toMs("delay", delay, 0) };
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

/** The handler's word on each message: undefined, or an error. */
type Call<T> = (contexts: readonly Context<T>[]) => unknown;

const DONE: Outcome = { verb: "ack", isSkipped: false };
const SKIPPED: Outcome = { verb: "ack", isSkipped: true };

export class Handling<T> {
  readonly #source: TopicSource<T>;
  readonly #settings: SharedSettings;
  readonly #door: Door;
  readonly #call: Call<T>;
  readonly #report: (error: unknown) => void;

  constructor(
    source: TopicSource<T>,
    settings: SharedSettings,
    door: Door,
    call: Call<T>,
    report: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#settings = settings;
    this.#door = door;
    this.#call = call;
    this.#report = report;
  }

  /** The outcome of what no handler is to see. */
  admit(held: Held): Outcome | undefined {
    const { delivery, from } = held;
    const { maxDeliveries, filter } = this.#settings;
    let frame;
    try {
      frame = delivery.pack.frame(delivery.offset);
    } catch (error) {
      return { verb: "dead", reason: "undecodable", error };
    }
    const { delayMs, ttlMs } = frame;
    if (delayMs !== undefined || ttlMs !== undefined) {
      const ageMs = from.serverNow - delivery.pack.at;
      if (ttlMs !== undefined && isOver(held)) return SKIPPED;
      if (delayMs !== undefined && ageMs < delayMs) return { verb: "release", ms: Math.ceil(delayMs - ageMs) };
    }
    if (filter !== undefined && !this.#isWanted(filter, frame)) return SKIPPED;
    if (delivery.number <= maxDeliveries) return undefined;
    const error = new Error(`${maxDeliveries} consumers that had it ended without a word`);
    return { verb: "dead", reason: "exhausted", error };
  }

  async perform(group: readonly Held[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = Array.from({ length: group.length });
    const contexts: Context<T>[] = [];
    const places: number[] = [];
    for (const [at, held] of group.entries()) {
      const { delivery, from } = held;
      // It has waited since it was admitted.
      if (isOver(held)) {
        outcomes[at] = SKIPPED;
        continue;
      }
      try {
        contexts.push(new Context(held, this.#source.decode(delivery.pack, delivery.offset, from.partition)));
        places.push(at);
      } catch (error) {
        outcomes[at] =
          error instanceof CodecError ? { verb: "dead", reason: "undecodable", error } : this.#failed(held, error);
      }
    }
    if (contexts.length === 0) return outcomes;
    let errors: readonly unknown[] = [];
    try {
      const returned = await this.#door.enter(() => this.#call(contexts));
      if (Array.isArray(returned)) errors = returned;
    } catch (error) {
      errors = contexts.map(() => error ?? new Error("the handler threw nothing"));
      this.#report(error);
    }
    for (const [index, at] of places.entries())
      outcomes[at] = this.#outcome(group[at]!, contexts[index]!.asked, errors[index]);
    return outcomes;
  }

  #outcome(held: Held, asked: Asked | undefined, error: unknown): Outcome {
    if (asked === undefined) return error === undefined ? DONE : this.#failed(held, error);
    if (asked.verb === "reject") return { verb: "dead", reason: "rejected", error: asked.error };
    return this.#failed(held, error ?? new Rejected("the handler has asked for another delivery"), asked.ms);
  }

  #isWanted(filter: NonNullable<SharedSettings["filter"]>, frame: Parameters<typeof filter>[0]): boolean {
    try {
      return filter(frame);
    } catch (error) {
      this.#report(error);
      return true;
    }
  }

  #failed({ delivery }: Held, error: unknown, ms?: number): Outcome {
    const { maxDeliveries, backoff } = this.#settings;
    if (delivery.number >= maxDeliveries) return { verb: "dead", reason: "exhausted", error };
    const { runtime } = this.#source.core.driver;
    return { verb: "due", ms: ms ?? backoffMs(runtime, backoff, delivery.number, error, this.#report) };
  }
}

/** Its `ttl` is. */
function isOver({ delivery, from }: Held): boolean {
  const { ttlMs } = delivery.pack.frame(delivery.offset);
  return ttlMs !== undefined && from.serverNow - delivery.pack.at > ttlMs;
}

/** A handler of one message returns what it likes. */
export function callingOne<T>(handler: TopicSharedHandler<T>): Call<T> {
  return async ([context]) => {
    await handler(context!.message, context!);
  };
}

export function callingMany<T>(handler: TopicSharedManyHandler<T>): Call<T> {
  return (contexts) =>
    handler(
      contexts.map(({ message }) => message),
      new ManyContext(contexts),
    );
}
