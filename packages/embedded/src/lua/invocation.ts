/** One run of compiled Lua for a client, from its beginning to the reply. */
import { type LuaError, ScriptInterrupt } from "./errors.ts";
import type { ErrorReply, HostReply, LuaHost, ScriptLimits } from "./host.ts";
import { plainText } from "./lib/base.ts";
import { errorReply, toHost } from "./reply-to-host.ts";
import { toText } from "./runtime/operators.ts";
import { cString } from "./runtime/site.ts";
import type { LuaState } from "./runtime/state.ts";
import { LuaTable } from "./runtime/table.ts";
import { first, type LuaResult } from "./runtime/value.ts";

export interface CompiledScript {
  /**
   * Runs it to its end, never two scripts of one engine at once. The result is converted by Redis's rules; an error that
   * the script did not catch is an error reply. What the host throws comes out as it is.
   * @param keys,argv binary strings
   */
  run(host: LuaHost, keys: readonly string[], argv: readonly string[], limits?: ScriptLimits): HostReply;
}

/** What is called with the keys and the other arguments of a run. */
export type EntryPoint = (keys: LuaTable, argv: LuaTable) => LuaResult;

/** @param name what error replies call it: a script's SHA-1, a function's name */
export function compiledScript(state: LuaState, name: string, entry: EntryPoint): CompiledScript {
  return {
    run(host, keys, argv, limits = {}) {
      state.begin(host, limits);
      try {
        return toHost(first(entry(LuaTable.ofList([...keys]), LuaTable.ofList([...argv]))), state.resp);
      } catch (error) {
        return failure(state, name, error);
      } finally {
        state.end();
      }
    },
  };
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
