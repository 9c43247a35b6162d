/** Handlers as users give them: functions, or a module that is run in threads. */
import { AbortedError, InvalidArgumentError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import { isThreadModule, rebuilt, ThreadPool, type Thrown } from "../core/threads/pool.ts";

export type Invoke<Message, Context extends { readonly signal: AbortSignal }> = (
  message: Message,
  context: Context,
) => unknown;

export interface Invoked<Message, Context extends { readonly signal: AbortSignal }> {
  readonly invoke: Invoke<Message, Context>;
  readonly concurrency: number;
  /** Ends its threads, whatever they do. */
  readonly release: () => Promise<void>;
}

export interface InvokedTerms {
  readonly runtime: Runtime;
  readonly op: string;
  readonly concurrency: number;
  readonly threads: number | undefined;
  readonly errorOf?: (thrown: Thrown) => Error;
}

/** How long a handler in a thread may go on after its signal has fired. */
const GRACE_MS = 5_000;

export function invoked<Message, Context extends { readonly signal: AbortSignal }>(
  handler: Invoke<Message, Context> | URL,
  { runtime, op, concurrency, threads, errorOf = rebuilt }: InvokedTerms,
): Invoked<Message, Context> {
  if (isThreadModule(handler)) {
    const closed = (): Error => new AbortedError("the subscription was closed", { op });
    const pool = new ThreadPool({ runtime, url: handler, threads: threads ?? 1, graceMs: GRACE_MS, closed, errorOf });
    const invoke: Invoke<Message, Context> = (message, { signal, ...context }) => pool.run([message, context], signal);
    return { invoke, concurrency: threads ?? 1, release: () => pool.close() };
  }
  if (typeof handler !== "function")
    throw new InvalidArgumentError("handler", "a function, or the URL of a module", handler);
  if (threads !== undefined)
    throw new InvalidArgumentError("threads", "the URL of a module beside it, as the handler", threads);
  return { invoke: handler, concurrency, release: () => Promise.resolve() };
}
