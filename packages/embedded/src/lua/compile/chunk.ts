/**
 * A chunk of Lua to a JavaScript function. The generated program is run through node:vm, which hosts that forbid `eval`
 * and `new Function` leave alone, so there is no second, interpreting engine.
 */
import { Script } from "node:vm";
import { invoke, PAUSE, suspendable } from "../runtime/coroutine.ts";
import { argTable, construct } from "../runtime/construct.ts";
import { field, index, setIndex } from "../runtime/indexing.ts";
import {
  arithmetic,
  callable,
  concat,
  equalByMetamethod,
  length,
  lessEqual,
  lessThan,
  loopNumber,
  modulo,
  power,
} from "../runtime/operators.ts";
import { isNative, LuaSyntaxError } from "../runtime/errors.ts";
import { chunkLabel } from "../runtime/site.ts";
import { type LuaState, MAX_DEPTH } from "../runtime/state.ts";
import { LuaTable } from "../runtime/table.ts";
import { list, type LuaFunction, NOTHING } from "../runtime/value.ts";
import { parse } from "../syntax/parser.ts";
import { ChunkContext } from "./context.ts";
import { compileFunction } from "./statements.ts";

/** What generated code calls, under these names. */
const RUNTIME = {
  LuaTable,
  MAX_DEPTH,
  NOTHING,
  PAUSE,
  argTable,
  arithmetic,
  callable,
  concat,
  construct,
  equalByMetamethod,
  field,
  index,
  invoke,
  length,
  lessEqual,
  lessThan,
  list,
  loopNumber,
  modulo,
  power,
  setIndex,
  suspendable,
};

type Program = (state: LuaState, runtime: typeof RUNTIME, constants: readonly unknown[]) => LuaFunction;

/**
 * The chunk as a Lua function. Throws LuaSyntaxError.
 * @param source binary string
 * @param name the chunk's name in Lua's notation: `@file`, `=text`, or the source itself
 * @param suspends its functions become generators, even when it uses no coroutines
 */
export function compileChunk(state: LuaState, source: string, name: string, suspends: boolean): LuaFunction {
  try {
    return compiled(state, source, name, suspends);
  } catch (error) {
    // The compiler and V8 go down the tree of the source by recursion. A chain of ten thousands of operators or of elseif,
    // which Lua reads in a loop, is as deep a tree as brackets are.
    if (isNative(error, "RangeError"))
      throw new LuaSyntaxError(`${chunkLabel(name)}:1: chunk has too many syntax levels`);
    // V8 has limits of its own, such as 65,535 arguments of a call.
    if (isNative(error, "SyntaxError"))
      throw new LuaSyntaxError(`${chunkLabel(name)}:1: function or expression too complex`);
    throw error;
  }
}

function compiled(state: LuaState, source: string, name: string, suspends: boolean): LuaFunction {
  const body = parse(source, name);
  const chunk = { source: name, label: chunkLabel(name) };
  const context = new ChunkContext(state, chunk, suspends || usesCoroutines(source));
  const main = compileFunction(context, body);
  const constants = context.constants.map((_, at) => `k${at}`).join(",");
  const code = `(function(S,R,K){"use strict";const {${Object.keys(RUNTIME).join(",")}}=R;const [${constants}]=K;return ${main};})`;
  return programOf(code)(state, RUNTIME, context.constants);
}

/**
 * Generated code names nothing of its state, so all servers of a process share it, and what V8 has learnt of it: a test that
 * makes a server for each case, or a simulation, would else run every script cold. The last ones used are kept.
 */
const programs = new Map<string, Program>();
const KEPT_PROGRAMS = 256;

function programOf(code: string): Program {
  const program = programs.get(code) ?? (new Script(code, { filename: "lua-chunk.js" }).runInThisContext() as Program);
  programs.delete(code);
  programs.set(code, program);
  const [oldest] = programs.keys();
  if (programs.size > KEPT_PROGRAMS && oldest !== undefined) programs.delete(oldest);
  return program;
}

/**
 * Only a chunk that says `coroutine` somewhere is compiled to generators, which are several times slower. One that comes
 * by the library in another way gets Lua's error for a yield across a library call.
 */
function usesCoroutines(source: string): boolean {
  return source.includes("coroutine");
}
