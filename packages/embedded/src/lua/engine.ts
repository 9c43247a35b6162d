/**
 * Lua 5.1 as Redis 7.0.15 runs it, compiled to JavaScript. An engine is one Lua state: its scripts share the libraries
 * and cjson's options, like the scripts of one server. SCRIPT FLUSH means a new engine.
 *
 * The compiler is our own because it is the fastest by far for what scripts do, a few hundred nanoseconds for a script
 * that calls one command, where engines in WebAssembly need 4 to 15 microseconds, lack Redis's libraries or speak another
 * version of Lua; and because it can be exact where it shows: 64-bit integers, binary strings, the order of tables.
 */
import { compileChunk } from "./compile/chunk.ts";
import { LuaCompileError, LuaSyntaxError } from "./errors.ts";
import type { HostReply, LuaHost, ScriptLimits } from "./host.ts";
import { installGlobals } from "./lib/globals.ts";
import { type PausedScript, type RunTarget, startRun } from "./run.ts";
import { LuaState } from "./runtime/state.ts";
import { LuaTable } from "./runtime/table.ts";
import { type LuaFunction, type LuaValue, NOTHING } from "./runtime/value.ts";

export { LuaCompileError, ScriptInterrupt } from "./errors.ts";
export type { ErrorReply, HostReply, LuaHost, ScriptLimits, TaggedReply } from "./host.ts";
export { PausedScript } from "./run.ts";

export type RunLimits = Omit<ScriptLimits, "pause">;

export interface CompiledScript {
  /**
   * Runs it to its end, never two scripts of one engine at once. The result is converted by Redis's rules; an error that
   * the script did not catch is an error reply. What the host throws comes out as it is.
   * @param keys,argv binary strings
   */
  run(host: LuaHost, keys: readonly string[], argv: readonly string[], limits?: RunLimits): HostReply;
  /** The same with pauses, where the limits ask for them: runs it to its end or to the first. */
  start(
    host: LuaHost,
    keys: readonly string[],
    argv: readonly string[],
    limits: ScriptLimits,
  ): HostReply | PausedScript;
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
  return { compile: (source, name = "") => new Script(state, source, name) };
}

/** A script with a Lua state of its own. */
export function compileScript(source: string, name?: string): CompiledScript {
  return createLuaEngine().compile(source, name);
}

class Script implements CompiledScript, RunTarget {
  readonly name: string;
  readonly main: LuaFunction;
  readonly #state: LuaState;
  readonly #source: string;
  #suspendable: LuaFunction | undefined = undefined;

  constructor(state: LuaState, source: string, name: string) {
    this.#state = state;
    this.#source = source;
    this.name = name;
    this.main = compileMain(state, source, false);
  }

  run(host: LuaHost, keys: readonly string[], argv: readonly string[], limits: RunLimits = {}): HostReply {
    // Without a pause in the limits there is none.
    return startRun(this.#state, this, { host, keys, argv, limits }) as HostReply;
  }

  start(
    host: LuaHost,
    keys: readonly string[],
    argv: readonly string[],
    limits: ScriptLimits,
  ): HostReply | PausedScript {
    return startRun(this.#state, this, { host, keys, argv, limits });
  }

  suspendable(): LuaFunction {
    if (this.main.generator !== undefined) return this.main;
    this.#suspendable ??= compileMain(this.#state, this.#source, true);
    return this.#suspendable;
  }

  arguments(keys: readonly string[], argv: readonly string[]): readonly LuaValue[] {
    const { globals } = this.#state;
    globals.node("KEYS")!.value = LuaTable.ofList([...keys]);
    globals.node("ARGV")!.value = LuaTable.ofList([...argv]);
    return NOTHING;
  }
}

function compileMain(state: LuaState, source: string, suspends: boolean): LuaFunction {
  try {
    return compileChunk(state, source, CHUNK_NAME, suspends);
  } catch (error) {
    if (!(error instanceof LuaSyntaxError)) throw error;
    throw new LuaCompileError(`Error compiling script (new function): ${error.message}`);
  }
}
