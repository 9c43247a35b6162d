/** Both ends of a script's call: what the driver is told of it, and its reply as a typed result or a named error. */
import { type Call, type Reply, TransportError } from "../../driver/port.ts";
import { HoldfastError } from "../../base/errors.ts";
import { serverError } from "../../driver/resilience/server-errors.ts";
import { type Part, UnexpectedReplyError } from "./decode.ts";
import type { Script } from "./script.ts";

const ERROR_PREFIX = /^[A-Z][A-Z0-9]*(?= )/;

/** What a call says of itself; its operation class is the script's. */
export type ScriptCall = Omit<Call, "class">;

/** Named fields and no spread: this is on the way of every call. */
export function classed(opClass: Call["class"], call: ScriptCall): Call {
  return { op: call.op, class: opClass, key: call.key, timeoutMs: call.timeoutMs, signal: call.signal };
}

/** @throws HoldfastError `SERVER` when the reply is none that the script's header allows. */
export function decodeReply<Result>(
  script: Script<never, never, Result>,
  reply: Reply,
  op: string,
  key: string | undefined,
): Result {
  try {
    return script.decode(reply);
  } catch (cause) {
    if (!(cause instanceof UnexpectedReplyError)) throw cause;
    throw new HoldfastError("SERVER", `${op}: script ${script.name} replied what it may not: ${cause.message}`, {
      op,
      key,
      cause,
    });
  }
}

/** The error of one item of a merged call, as the driver would have told it of a call of its own. */
export function itemError(script: Script<never, never, unknown>, text: Part, op: string, key?: string): HoldfastError {
  const message = Buffer.isBuffer(text) ? text.toString() : "ERR the server gave no reason";
  const prefix = ERROR_PREFIX.exec(message)?.[0] ?? "ERR";
  const failure = new TransportError("replied", message, { prefix });
  return serverError(failure, { op, class: script.class, key }, `script ${script.name}`);
}
