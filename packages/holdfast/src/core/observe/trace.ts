/**
 * W3C trace context, as it travels with what is done later and elsewhere (https://www.w3.org/TR/trace-context/). No tracer is known here: hooks of
 * the user's give the caller's context and open spans.
 */
import { InvalidArgumentError, said } from "../../base/errors.ts";
import { givenOptions, type OptionNames } from "../../base/options.ts";

/** The headers of W3C trace context. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
}

/** A run of a job, as a span is named and described by. */
export interface TracedRun {
  readonly queue: string;
  /** The job's. */
  readonly id: string;
  readonly name: string | undefined;
  readonly attempt: number;
}

/** How a tracer is asked; docs/queue.md has the lines for OpenTelemetry. */
export interface TraceHooks {
  /** Returns the context of what runs now, to travel with what it adds; empty, or undefined, where there is none. */
  current(): Partial<TraceContext> | undefined;
  /** Calls `run` once, in a span that continues `context` (undefined: the job came without), and returns what it returns. */
  run<T>(context: TraceContext | undefined, about: TracedRun, run: () => Promise<T>): Promise<T>;
}

const HOOKS: OptionNames<TraceHooks> = { current: true, run: true };
const FIELDS: OptionNames<TraceContext> = { traceparent: true, tracestate: true };
/** Of version 00; later ones begin with the same fields. */
const PARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-[!-~]{1,64})?$/;
/** Printable, without line breaks; the standard wants 512 characters to be passed on. */
const STATE = /^[ -~\t]{1,512}$/;

export function checkHooks(given: TraceHooks | undefined): TraceHooks | undefined {
  if (given === undefined) return undefined;
  // Of an object that may be an instance of a class.
  if (typeof given !== "object" || given === null)
    throw new InvalidArgumentError("trace", "an object with `current` and `run`", given);
  for (const hook of Object.keys(HOOKS) as (keyof TraceHooks)[])
    if (typeof given[hook] !== "function") throw new InvalidArgumentError(`trace.${hook}`, "a function", given[hook]);
  return given;
}

/** What was given for a call, as text. @throws InvalidArgumentError */
export function traceText(given: TraceContext): string {
  const { traceparent, tracestate } = givenOptions(given, FIELDS, "trace");
  if (typeof traceparent !== "string" || !PARENT.test(traceparent))
    throw new InvalidArgumentError("trace.traceparent", "a traceparent of W3C trace context", said("something else"));
  if (tracestate !== undefined && (typeof tracestate !== "string" || !STATE.test(tracestate)))
    throw new InvalidArgumentError("trace.tracestate", "a tracestate of up to 512 characters", said("something else"));
  return textOf(traceparent, tracestate);
}

/** The caller's context as text. A tracer that fails, or has another idea of a context, fails nothing here. */
export function currentText(hooks: TraceHooks | undefined): string | undefined {
  if (hooks === undefined) return undefined;
  try {
    const { traceparent, tracestate } = Object(hooks.current()) as Partial<TraceContext>;
    if (typeof traceparent !== "string" || !PARENT.test(traceparent)) return undefined;
    return textOf(traceparent, typeof tracestate === "string" && STATE.test(tracestate) ? tracestate : undefined);
  } catch {
    return undefined;
  }
}

export function traceFrom(text: string | undefined): TraceContext | undefined {
  if (text === undefined) return undefined;
  const space = text.indexOf(" ");
  if (space === -1) return { traceparent: text };
  return { traceparent: text.slice(0, space), tracestate: text.slice(space + 1) };
}

function textOf(traceparent: string, tracestate: string | undefined): string {
  return tracestate === undefined ? traceparent : `${traceparent} ${tracestate}`;
}
