/** Jobs by name: which handler runs which, and what is known of their payloads. */
import { InvalidArgumentError } from "../base/errors.ts";
import { Unhandled } from "./failure.ts";
import type { QueueJob } from "./job.ts";
import { checkName } from "./check-name.ts";

declare const NAMED: unique symbol;

/**
 * The payload type of a queue whose jobs have names, of one payload type each.
 * @example
 * const mails = hf.queue<QueueJobs<{ welcome: { to: string }; digest: { day: string } }>>("mails");
 * await mails.add({ to: "ada@example.com" }, { name: "welcome" });
 */
export type QueueJobs<Payloads extends object> = {
  [Name in keyof Payloads]: Payloads[Name] & { readonly [NAMED]?: Name };
}[keyof Payloads];

/** The names of a queue's jobs; any string where its payload type names none. */
export type QueueJobName<Payload> = typeof NAMED extends keyof Payload
  ? Payload extends { readonly [NAMED]?: infer Name }
    ? Extract<Name, string>
    : never
  : string;

/** Where jobs have no payload types by name, any of them may have any name. */
export type QueueFreeName<Payload> = typeof NAMED extends keyof Payload ? never : string;

/** What the jobs of that name carry. */
export type QueuePayloadOf<Payload, Name> = typeof NAMED extends keyof Payload
  ? Extract<Payload, { readonly [NAMED]?: Name }>
  : Payload;

export type QueueHandler<Payload, Result = unknown> = (job: QueueJob<Payload>) => Result | Promise<Result>;

/** One handler for each name that this worker knows. */
export type QueueHandlers<Payload, Result = unknown> = {
  readonly [Name in QueueJobName<Payload>]?: QueueHandler<QueuePayloadOf<Payload, Name>, Result>;
};

/** Given the jobs that the queue's codec decodes. */
export type AnyHandler = (job: QueueJob<never>) => unknown;

const MAX_NAMES = 1_000;

export class Dispatch {
  /** What this worker runs; undefined: all names, and jobs without one. */
  readonly names: readonly string[] | undefined;
  readonly #handlers: ReadonlyMap<string, AnyHandler> | undefined;
  readonly #handler: AnyHandler | undefined;

  /** @param aliases what jobs with an old name are called now */
  constructor(given: unknown, aliases: Readonly<Record<string, string>>) {
    if (typeof given === "function") {
      if (Object.keys(aliases).length > 0)
        throw new InvalidArgumentError("aliases", "handlers by name beside them", undefined);
      this.#handler = given as AnyHandler;
      return;
    }
    const handlers = new Map<string, AnyHandler>();
    for (const [name, handler] of Object.entries(checkHandlers(given))) {
      if (handler === undefined) continue;
      if (typeof handler !== "function")
        throw new InvalidArgumentError(`handler ${JSON.stringify(name)}`, "a function", handler);
      handlers.set(checkName("name", name), handler as AnyHandler);
    }
    for (const [old, name] of Object.entries(aliases)) {
      const handler = handlers.get(name);
      if (handler === undefined)
        throw new InvalidArgumentError(`aliases.${old}`, "the name of one of the handlers", name);
      if (handlers.has(old)) throw new InvalidArgumentError(`aliases.${old}`, "a name without a handler", name);
      handlers.set(checkName("aliases", old), handler);
    }
    if (handlers.size === 0 || handlers.size > MAX_NAMES)
      throw new InvalidArgumentError("handler", `1 to ${MAX_NAMES} handlers by name`, undefined);
    this.#handlers = handlers;
    this.names = [...handlers.keys()];
  }

  /** The handler for jobs of that name. @throws Unhandled where this worker has none */
  for(name: string | undefined): AnyHandler {
    const handler = this.#handler ?? (name === undefined ? undefined : this.#handlers?.get(name));
    if (handler === undefined) throw new Unhandled("its worker has no handler for jobs of this name");
    return handler;
  }
}

function checkHandlers(given: unknown): Record<string, unknown> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new InvalidArgumentError("handler", "a function, or an object with a function for each name", given);
  return given as Record<string, unknown>;
}
