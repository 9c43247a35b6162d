/**
 * Lua 5.1 as Redis 7.0.15 runs it, compiled to JavaScript. An engine is one Lua state: its scripts share the libraries
 * and cjson's options, like the scripts of one server. SCRIPT FLUSH means a new engine.
 *
 * The compiler is our own because it is the fastest by far for what scripts do, a few hundred nanoseconds for a script
 * that calls one command, where engines in WebAssembly need 4 to 15 microseconds, lack Redis's libraries or speak another
 * version of Lua; and because it can be exact where it shows: 64-bit integers, binary strings, the order of tables.
 */
import { compileChunk } from "./compile/chunk.ts";
import { LuaCompileError, type LuaError, LuaSyntaxError, ScriptInterrupt } from "./errors.ts";
import type { ErrorReply, HostReply, LuaHost, ScriptLimits } from "./host.ts";
import { installGlobals } from "./lib/globals.ts";
import { plainText } from "./lib/base.ts";
import { errorReply, toHost } from "./reply-to-host.ts";
import { toText } from "./runtime/operators.ts";
import { cString } from "./runtime/site.ts";
import { LuaState } from "./runtime/state.ts";
import { LuaTable } from "./runtime/table.ts";
import { first, type LuaFunction } from "./runtime/value.ts";

export { LuaCompileError, ScriptInterrupt } from "./errors.ts";
export type { ErrorReply, HostReply, LuaHost, ScriptLimits, TaggedReply } from "./host.ts";

export interface CompiledScript {
  /**
   * Runs it to its end, never two scripts of one engine at once. The result is converted by Redis's rules; an error that
   * the script did not catch is an error reply. What the host throws comes out as it is.
   * @param keys,argv binary strings
   */
  run(host: LuaHost, keys: readonly string[], argv: readonly string[], limits?: ScriptLimits): HostReply;
}

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
  installGlobals(state);
  return { compile: (source, name = "") => compile(state, source, name) };
}

/** A script with a Lua state of its own. */
export function compileScript(source: string, name?: string): CompiledScript {
  return createLuaEngine().compile(source, name);
}

function compile(state: LuaState, source: string, name: string): CompiledScript {
  const main = compileMain(state, source);
  return { run: (host, keys, argv, limits = {}) => run(state, main, name, { host, keys, argv, limits }) };
}

function compileMain(state: LuaState, source: string): LuaFunction {
  try {
    return compileChunk(state, source, CHUNK_NAME);
  } catch (error) {
    if (!(error instanceof LuaSyntaxError)) throw error;
    throw new LuaCompileError(`Error compiling script (new function): ${error.message}`);
  }
}

interface Invocation {
  readonly host: LuaHost;
  readonly keys: readonly string[];
  readonly argv: readonly string[];
  readonly limits: ScriptLimits;
}

function run(state: LuaState, main: LuaFunction, name: string, { host, keys, argv, limits }: Invocation): HostReply {
  state.begin(host, limits);
  try {
    state.globals.node("KEYS")!.value = LuaTable.ofList([...keys]);
    state.globals.node("ARGV")!.value = LuaTable.ofList([...argv]);
    return toHost(first(main()), state.resp);
  } catch (error) {
    return failure(state, name, error);
  } finally {
    state.end();
  }
}

function failure(state: LuaState, name: string, error: unknown): ErrorReply {
  if (error instanceof ScriptInterrupt) return errorReply(error.message + placeOf(state, name), false);
  const caught = state.asLuaError(error);
  if (caught === undefined) throw error;
  return uncaught(state, name, caught);
}

/** Redis's error handler adds the place to the error, so an error table of the read-only kind defeats it. */
function uncaught(state: LuaState, name: string, { value }: LuaError): ErrorReply {
  if (!(value instanceof LuaTable)) return errorReply(`ERR ${cString(plainText(value))}${placeOf(state, name)}`, false);
  if (value.readonly) return errorReply(`ERR Error running script ${name}, error in error handling\n`, false);
  const message = toText(value.getString("err")) ?? "ERR unknown error";
  return errorReply(cString(message) + placeOf(state, name), value.getString("ignore_error_stats_update") === true);
}

function placeOf(state: LuaState, name: string): string {
  const site = state.siteAt(1);
  return site === undefined ? "" : ` script: ${name}, on ${site.chunk.source}:${site.line}.`;
}
