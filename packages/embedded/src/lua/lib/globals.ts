/** The globals of scripts and functions: what Redis 7.0.15 lets them see, made read-only. */
import { cString } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable } from "../runtime/table.ts";
import { typeName } from "../runtime/type-name.ts";
import { isTruthy, type LuaValue } from "../runtime/value.ts";
import { type LibraryFunction, libraryFunction } from "./arguments.ts";
import { baseFunctions, pausableFunctions, plainText } from "./base.ts";
import { bitLibrary } from "./bit.ts";
import { coroutineLibrary } from "./coroutine.ts";
import { jsonLibrary } from "./json.ts";
import { mathLibrary } from "./math.ts";
import { messagePackLibrary } from "./msgpack.ts";
import { addEntries, EVAL_ENTRIES, redisLibrary, sharedEntries } from "./redis.ts";
import { stringLibrary } from "./string.ts";
import { structLibrary } from "./struct.ts";
import { tableLibrary } from "./table.ts";

/** The globals of EVAL's scripts. */
export function installScriptGlobals(state: LuaState): void {
  const { globals } = state;
  addEntries(installLibraries(state), EVAL_ENTRIES);
  globals.set(
    "__redis__err__handler",
    libraryFunction(([error]) => describeError(state, error)),
  );
  // Their nodes are there before the first script is compiled; each run fills them.
  globals.set("KEYS", false);
  globals.set("ARGV", false);
  seal(state, globals);
}

/** The two sets of globals that a library of functions meets. */
export type FunctionScope = "loading" | "calling";

/**
 * The globals of functions. They are looked up through an empty table in front of them, which shows either those of a
 * library that is being loaded, hardly anything but `redis.register_function`, or those of a function that runs.
 * @returns what chooses between them
 */
export function installFunctionGlobals(state: LuaState, register: LibraryFunction): (scope: FunctionScope) => void {
  const calling = state.globals;
  installLibraries(state);
  seal(state, calling);

  const loading = new LuaTable();
  const redis = addEntries(new LuaTable(), { register_function: register, ...sharedEntries(state) });
  loading.set("redis", redis);
  seal(state, redis);
  seal(state, loading);

  const front = new LuaTable();
  const shown = new LuaTable();
  front.metatable = shown;
  front.readonly = true;
  state.globals = front;
  return (scope) => shown.set("__index", scope === "loading" ? loading : calling);
}

/** @returns the redis library */
function installLibraries(state: LuaState): LuaTable {
  const { globals } = state;
  const redis = redisLibrary(state);
  globals.set("_G", globals);
  const pausable = pausableFunctions(state);
  for (const [name, run] of Object.entries(baseFunctions(state))) {
    globals.set(name, libraryFunction(run, pausable[name]));
  }
  globals.set("_VERSION", "Lua 5.1");
  globals.set("coroutine", coroutineLibrary(state));
  globals.set("table", tableLibrary(state));
  globals.set("string", stringLibrary(state));
  globals.set("math", mathLibrary(state));
  globals.set("cjson", jsonLibrary(state));
  globals.set("struct", structLibrary(state));
  globals.set("cmsgpack", messagePackLibrary(state));
  globals.set("bit", bitLibrary(state));
  globals.set("redis", redis);
  state.stringMetatable.set("__index", globals.get("string"));
  protect(state.stringMetatable);
  return redis;
}

/** Read-only, and an error for a name that is not there. */
function seal(state: LuaState, table: LuaTable): void {
  table.metatable = new LuaTable();
  table.metatable.set(
    "__index",
    libraryFunction((args) => refuseUnknown(state, args)),
  );
  protect(table);
}

function refuseUnknown(state: LuaState, args: readonly LuaValue[]): never {
  if (args.length !== 2) throw state.error("Wrong number of arguments to luaProtectedTableError");
  const [, name] = args;
  if (typeof name !== "string" && typeof name !== "number") {
    throw state.error("Second argument to luaProtectedTableError must be a string or number");
  }
  throw state.error(`Script attempted to access nonexistent global variable '${cString(plainText(name))}'`);
}

/** The error as a table with the place where it was raised. */
function describeError(state: LuaState, error: LuaValue): LuaValue {
  const table = error instanceof LuaTable ? error : new LuaTable();
  if (typeName(error) !== "table") table.set("err", `ERR ${plainText(error)}`);
  const site = state.siteAt(1);
  if (site !== undefined && isTruthy(table)) {
    table.set("source", site.chunk.source);
    table.set("line", site.line);
  }
  return table;
}

/** Read-only, with everything that can be reached from it. */
function protect(table: LuaTable): void {
  if (table.readonly) return;
  table.readonly = true;
  for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) {
    const value = table.valueAt(at);
    if (value instanceof LuaTable) protect(value);
  }
  if (table.metatable !== undefined) protect(table.metatable);
}
