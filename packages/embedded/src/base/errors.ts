/** Redis's error texts, and the exception that carries one out of a command. */
import { ErrorReply } from "./reply.ts";

/** Thrown by a command; its client receives `reply`. Every change the command made before it stays, so check first. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly reply: ErrorReply;
  constructor(reply: ErrorReply) {
    super(reply.message);
    this.reply = reply;
  }
}

/** Ends a command with this error; `message` begins with its code: `ERR ...`. */
export function fail(message: string): never {
  throw new CommandError(new ErrorReply(message));
}

/** What C makes of a text: it ends before the first NUL. */
export function cString(text: string): string {
  const end = text.indexOf("\0");
  return end === -1 ? text : text.slice(0, end);
}

/** An argument as a message shows it, in one line. */
export function shown(text: string): string {
  return cString(text).replaceAll(/[\r\n]/g, " ");
}

export const SYNTAX = "ERR syntax error";
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
export const NOT_A_FLOAT = "ERR value is not a valid float";
export const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
export const NO_SUCH_KEY = "ERR no such key";
export const INDEX_OUT_OF_RANGE = "ERR index out of range";

export function wrongArity(command: string): string {
  return `ERR wrong number of arguments for '${command}' command`;
}

/** Whether it says that a string would be longer than V8 can make one. By its words: a test runner may have errors of its own realm. */
export function isTooLong(error: unknown): boolean {
  return messageOf(error) === "Invalid string length" || (isObject(error) && error["code"] === "ERR_STRING_TOO_LONG");
}

const TOO_LONG = new ErrorReply("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
/** Kinds of unexpected exceptions that were reported. */
const reported = new Set<string>();
const MOST_REPORTED = 100;

/**
 * The answer to a command that threw. What is not a CommandError is a fault of this server: it ends the command, never the process,
 * and is reported as a process warning, once per command. A message may hold what a client sent, so the answer has the kind only.
 */
export function replyTo(error: unknown, command: string): ErrorReply {
  if (error instanceof CommandError) return error.reply;
  if (isTooLong(error)) return TOO_LONG;
  const kind = isObject(error) && typeof error["name"] === "string" ? error["name"] : typeof error;
  report(error, `${command}: ${kind}`);
  return new ErrorReply(`ERR internal error in '${command}' (${kind}); please report it to Holdfast`);
}

/** For work that no command waits for, such as a timer's. */
export function guarded(what: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    report(error, what);
  }
}

function report(error: unknown, what: string): void {
  if (reported.has(what) || reported.size >= MOST_REPORTED) return;
  reported.add(what);
  const stack = isObject(error) && typeof error["stack"] === "string" ? error["stack"] : String(error);
  process.emitWarning(`the embedded server has a fault (${what}): ${stack}`, { code: "HOLDFAST_EMBEDDED" });
}

function messageOf(error: unknown): unknown {
  return isObject(error) ? error["message"] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
