/** The globals of scripts: what Redis 7.0.15 lets them see, made read-only. */
import { cString } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable } from "../runtime/table.ts";
import { typeName } from "../runtime/type-name.ts";
import { isTruthy, type LuaValue } from "../runtime/value.ts";
import { libraryFunction } from "./arguments.ts";
import { baseFunctions, pausableFunctions, plainText } from "./base.ts";
import { bitLibrary } from "./bit.ts";
import { coroutineLibrary } from "./coroutine.ts";
import { jsonLibrary } from "./json.ts";
import { mathLibrary } from "./math.ts";
import { messagePackLibrary } from "./msgpack.ts";
import { redisLibrary } from "./redis.ts";
import { stringLibrary } from "./string.ts";
import { structLibrary } from "./struct.ts";
import { tableLibrary } from "./table.ts";

export function installGlobals(state: LuaState): void {
  const { globals } = state;
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
  globals.set("redis", redisLibrary(state));
  globals.set(
    "__redis__err__handler",
    libraryFunction(([error]) => describeError(state, error)),
  );
  // Their nodes are there before the first script is compiled; each run fills them.
  globals.set("KEYS", false);
  globals.set("ARGV", false);
  state.stringMetatable.set("__index", globals.get("string"));
  globals.metatable = new LuaTable();
  globals.metatable.set(
    "__index",
    libraryFunction((args) => refuseUnknown(state, args)),
  );
  protect(globals);
  protect(state.stringMetatable);
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
