/** What a script can end with besides a result. */
import type { LuaValue } from "./value.ts";

/** A Lua error on its way to the nearest pcall. Not a JavaScript Error: capturing a stack would cost more than the throw. */
export class LuaError {
  readonly value: LuaValue;
  constructor(value: LuaValue) {
    this.value = value;
  }
}

/** One of V8's own, by its name: in a test runner the errors of this module's realm are not those of generated code. */
export function isNative(error: unknown, name: "RangeError" | "SyntaxError"): error is Error {
  return typeof error === "object" && error !== null && "name" in error && error.name === name && "message" in error;
}

/** The source is not Lua 5.1. The message is Lua's own, such as `user_script:1: '=' expected near '<eof>'`. */
export class LuaSyntaxError extends Error {
  override readonly name: string = "LuaSyntaxError";
}

/**
 * The source is not Lua 5.1, or a library of functions fails while it is loaded. The message is the whole text of Redis's
 * error reply, without its `ERR`.
 */
export class LuaCompileError extends Error {
  override readonly name: string = "LuaCompileError";
}

/**
 * Thrown by `ScriptLimits.onBudget` to stop a script. No pcall of the script can catch it. The message is the error
 * reply, such as `ERR Script killed by user with SCRIPT KILL...`; the place in the script is added to it.
 */
export class ScriptInterrupt extends Error {
  override readonly name: string = "ScriptInterrupt";
}
