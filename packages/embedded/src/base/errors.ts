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

/** Whether it says that a string would be longer than V8 can make one. */
export function isTooLong(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.message === "Invalid string length" || ("code" in error && error.code === "ERR_STRING_TOO_LONG");
}
