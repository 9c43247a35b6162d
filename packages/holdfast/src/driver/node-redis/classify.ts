/** From whatever node-redis rejects with to the one question that matters: can the command have been executed? */
import { NeverWrittenError } from "../connection/raw-client.ts";
import { TransportError } from "../port.ts";

/** node-redis' errors for what it has not sent. */
const NEVER_WRITTEN = ["ClientOfflineError", "ClientClosedError", "MaxCommandRedirectionsError"];

/** Answers that the server sends instead of executing; the same command may succeed a moment later. */
const REFUSALS: ReadonlySet<string> = new Set([
  "ASK",
  "BUSY",
  "CLUSTERDOWN",
  "LOADING",
  "MASTERDOWN",
  "MOVED",
  "NOREPLICAS",
  "READONLY",
  "TRYAGAIN",
  "UNBLOCKED",
]);

/** Begins what a server quotes of a command that it does not know: keys, values, the password of HELLO. */
const QUOTED_ARGUMENTS = ", with args beginning with:";

/** First word of a server's error, in capitals; "" for anything that is not the server's word. */
export function errorPrefix(error: unknown): string {
  if (!isErrorReply(error)) return "";
  const end = error.message.indexOf(" ");
  return (end === -1 ? error.message : error.message.slice(0, end)).toUpperCase();
}

export function classify(error: unknown, node: string): TransportError {
  if (error instanceof TransportError) return error;
  withoutArguments(error);
  const message = isError(error) ? error.message : String(error);
  if (isErrorReply(error)) {
    const prefix = errorPrefix(error);
    return new TransportError(REFUSALS.has(prefix) ? "refused" : "replied", message, { prefix, node, cause: error });
  }
  if (isError(error) && error.name === "TypeError")
    return new TransportError("replied", message, { node, cause: error });
  if (wasNeverWritten(error)) return new TransportError("refused", message, { node, cause: error });
  return new TransportError("lost", `the connection to ${node} ended before the answer: ${message}`, {
    node,
    cause: error,
  });
}

/** Cuts what the server quotes of a command from its error, which is nobody else's, in place: its class stays. */
export function withoutArguments(error: unknown): void {
  if (!isErrorReply(error)) return;
  const at = error.message.indexOf(QUOTED_ARGUMENTS);
  if (at === -1) return;
  const { message, stack } = error;
  error.message = message.slice(0, at);
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message);
}

/** Whether it is of that class of any copy of node-redis, which a client that was handed in may be of. */
export function isOfClass(error: unknown, name: string): boolean {
  for (let at: unknown = error; typeof at === "object" && at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, "constructor") && (at as { constructor?: { name?: unknown } }).constructor?.name === name) {
      return true;
    }
  }
  return false;
}

function isErrorReply(error: unknown): error is Error {
  return isOfClass(error, "ErrorReply");
}

/** Also of another realm, as under Jest. */
function isError(error: unknown): error is Error {
  return error instanceof Error || Object.prototype.toString.call(error) === "[object Error]";
}

function wasNeverWritten(error: unknown): boolean {
  if (error instanceof NeverWrittenError) return true;
  if (NEVER_WRITTEN.some((name) => isOfClass(error, name))) return true;
  // node-redis has no class for its full queue.
  return isError(error) && error.message === "The queue is full";
}
