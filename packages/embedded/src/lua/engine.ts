/**
 * Lua 5.1 as Redis 7.0.15 runs it, compiled to JavaScript. An engine is one Lua state: its scripts share the libraries
 * and cjson's options, like the scripts of one server. SCRIPT FLUSH means a new engine.
 *
 * The compiler is our own because it is the fastest by far for what scripts do, a few hundred nanoseconds for a script
 * that calls one command, where engines in WebAssembly need 4 to 15 microseconds, lack Redis's libraries or speak another
 * version of Lua; and because it can be exact where it shows: 64-bit integers, binary strings, the order of tables.
 */
import { compileChunk } from "./compile/chunk.ts";
import { LuaCompileError, LuaSyntaxError } from "./runtime/errors.ts";
import { type CompiledScript, compiledScript } from "./invocation.ts";
import { installScriptGlobals } from "./lib/globals.ts";
import { LuaState } from "./runtime/state.ts";
import { type LuaFunction, NOTHING } from "./runtime/value.ts";

export { LuaCompileError, ScriptInterrupt } from "./runtime/errors.ts";
export type { ErrorReply, HostReply, LuaHost, ScriptLimits, TaggedReply } from "./host.ts";
export { type CompiledScript, PausedScript } from "./invocation.ts";

export interface LuaEngine {
  /**
   * Throws LuaCompileError, whose message is Redis's error reply without its `ERR`.
   * @param source binary string, a `#!lua` line cut off with its line feed left
   * @param name what error replies call the script: its SHA-1
   */
  compile(source: string, name?: string): CompiledScript;
}

const CHUNK_NAME = "@user_script";

export function createLuaEngine(): LuaEngine {
  const state = new LuaState();
  installScriptGlobals(state);
  return { compile: (source, name = "") => compile(state, source, name) };
}

/** A script with a Lua state of its own. */
export function compileScript(source: string, name?: string): CompiledScript {
  return createLuaEngine().compile(source, name);
}

function compile(state: LuaState, source: string, name: string): CompiledScript {
  const [keysNode, argvNode] = [state.globals.node("KEYS")!, state.globals.node("ARGV")!];
  const main = compileMain(state, source, false);
  let pausable = main.generator === undefined ? undefined : main;
  return compiledScript(state, {
    name,
    main,
    suspendable: () => (pausable ??= compileMain(state, source, true)),
    arguments(keys, argv) {
      keysNode.value = keys;
      argvNode.value = argv;
      return NOTHING;
    },
  });
}

function compileMain(state: LuaState, source: string, suspends: boolean): LuaFunction {
  try {
    return compileChunk(state, source, CHUNK_NAME, suspends);
  } catch (error) {
    if (!(error instanceof LuaSyntaxError)) throw error;
    throw new LuaCompileError(`Error compiling script (new function): ${error.message}`);
  }
}
