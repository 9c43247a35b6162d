/** Both ends of a script's call: how the driver sees it, and its reply as a typed result or a named error. */
import { type Call, type Reply, TransportError } from "../../driver/port.ts";
import { type HoldfastError, ReplyError } from "../../base/errors.ts";
import { serverError } from "../../driver/resilience/server-errors.ts";
import { type Part, UnexpectedReplyError } from "./decode.ts";
import type { Script } from "./script.ts";

const ERROR_PREFIX = /^[A-Z][A-Z0-9]*(?= )/;

/** A call without its operation class, which is the script's. */
export type UnclassedCall = Omit<Call, "class" | "onRepeat">;

/** Named fields and no spread: this is on the way of every call. */
export function classed(opClass: Call["class"], call: UnclassedCall, onRepeat?: Call["onRepeat"]): Call {
  const { op, key, timeoutMs, signal, patienceMs } = call;
  return { op, class: opClass, key, timeoutMs, signal, patienceMs, onRepeat };
}

/** @throws ReplyError for a reply that the script's header does not allow. */
export function decodeReply<Result>(
  script: Script<never, never, Result>,
  reply: Reply,
  op: string,
  key: string | undefined,
): Result {
  return decodedBy((received) => script.decode(received), reply, `script ${script.name}`, { op, key });
}

/**
 * A command's reply as a value.
 * @param from what replied, for the message
 * @throws ReplyError for a reply that `decode` does not allow
 */
export function decodedBy<T>(
  decode: (reply: Reply) => T,
  reply: Reply,
  from: string,
  { op, key }: Pick<Call, "op" | "key">,
): T {
  try {
    return decode(reply);
  } catch (cause) {
    if (!(cause instanceof UnexpectedReplyError)) throw cause;
    throw new ReplyError(`${op}: ${from} replied with what it may not: ${cause.message}`, { op, key, cause });
  }
}

/** The error that a script returns as a text, such as that of one item of a merged call, as the driver would report it. */
export function itemError(script: Script<never, never, unknown>, text: Part, op: string, key?: string): HoldfastError {
  const message = Buffer.isBuffer(text) || typeof text === "string" ? String(text) : "ERR the server gave no reason";
  const prefix = ERROR_PREFIX.exec(message)?.[0] ?? "ERR";
  const failure = new TransportError("replied", message, { prefix });
  return serverError(failure, { op, class: script.class, key }, `script ${script.name}`);
}
