/** The errors of a call that did not get the server's final word. Each message says whether it can have been executed. */
import type { Call, TransportError } from "../port.ts";
import {
  AbortedError,
  ClosedError,
  type ErrorDetails,
  HoldfastError,
  OutcomeUnknownError,
  TimeoutError,
  UnavailableError,
} from "../../base/errors.ts";
import { adviceFor } from "./server-errors.ts";

/** Refused, or lost without an effect, and not repeated any more. `why` says why not. */
export function unavailable(call: Call, why: string, cause: TransportError | undefined): UnavailableError {
  const last = cause === undefined ? "" : ` (last: ${describe(cause)})`;
  return new UnavailableError(`${label(call)}: ${why}${last}; it was not executed`, details(call, cause));
}

export function breakerOpen(call: Call, node: string, holdMs: number): UnavailableError {
  return new UnavailableError(
    `${label(call)}: ${node} has not answered for longer than a deadline; its circuit breaker is open for ${Math.ceil(holdMs)} ms more; it was not executed`,
    details(call, undefined),
  );
}

export function timedOut(call: Call, timeoutMs: number): TimeoutError {
  return new TimeoutError(`${label(call)}: no answer within ${timeoutMs} ms`, details(call, undefined));
}

export function aborted(call: Call, reason: unknown): AbortedError {
  return new AbortedError(`${label(call)}: aborted by its signal`, details(call, reason));
}

export function closed(call: Call, cause?: unknown): ClosedError {
  return new ClosedError(undefined, details(call, cause));
}

export function overloaded(call: Call, max: number, cause: unknown): HoldfastError {
  return new HoldfastError(
    "OVERLOADED",
    `${label(call)}: ${max} calls already wait for the server; shed load or raise \`maxWaiting\`; it was not executed`,
    { ...details(call, cause), retryable: true },
  );
}

/** `cause` is what ended the wait for the answer. Repeating is safe where the operation's class says so. */
export function outcomeUnknown(call: Call, cause: unknown): OutcomeUnknownError {
  const repeatable = call.class === "idempotent";
  const advice = repeatable ? "repeating it is safe" : "read the state before repeating it";
  const reason = (cause instanceof Error ? cause.message : String(cause)).replace(`${label(call)}: `, "");
  return new OutcomeUnknownError(
    `${label(call)}: it was sent and may or may not have been executed (${reason}); ${advice}`,
    { ...details(call, cause), retryable: repeatable },
  );
}

function label(call: Call): string {
  return call.key === undefined ? call.op : `${call.op} ${JSON.stringify(call.key)}`;
}

function details(call: Call, cause: unknown): ErrorDetails {
  return { op: call.op, key: call.key, cause };
}

function describe(failure: TransportError): string {
  const advice = adviceFor(failure.prefix);
  return advice === undefined ? failure.message : `${failure.message}: ${advice}`;
}
