/** From whatever node-redis rejects with to the one question that matters: can the command have been executed? */
import { ClientClosedError, ClientOfflineError, ErrorReply, MaxCommandRedirectionsError } from "@redis/client";
import { NeverWrittenError } from "../connection/raw-client.ts";
import { TransportError } from "../port.ts";

/** Answers that the server gives instead of executing; the same command may succeed a moment later. */
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

/** First word of a server's error, in capitals; "" for anything that is not the server's word. */
export function errorPrefix(error: unknown): string {
  if (!(error instanceof ErrorReply)) return "";
  const end = error.message.indexOf(" ");
  return (end === -1 ? error.message : error.message.slice(0, end)).toUpperCase();
}

export function classify(error: unknown, node: string): TransportError {
  if (error instanceof TransportError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ErrorReply) {
    const prefix = errorPrefix(error);
    return new TransportError(REFUSALS.has(prefix) ? "refused" : "replied", message, { prefix, node, cause: error });
  }
  if (error instanceof TypeError) return new TransportError("replied", message, { node, cause: error });
  if (wasNeverWritten(error)) return new TransportError("refused", message, { node, cause: error });
  return new TransportError("lost", `the connection to ${node} ended before the answer: ${message}`, {
    node,
    cause: error,
  });
}

function wasNeverWritten(error: unknown): boolean {
  if (error instanceof NeverWrittenError) return true;
  if (error instanceof MaxCommandRedirectionsError) return true;
  if (error instanceof ClientOfflineError || error instanceof ClientClosedError) return true;
  // node-redis has no class for its full queue.
  return error instanceof Error && error.message === "The queue is full";
}
