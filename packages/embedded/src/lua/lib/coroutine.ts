/** The coroutine library (lbaselib.c). */
import { LuaError } from "../errors.ts";
import { type Body, Coroutine, yieldAcrossCall } from "../runtime/coroutine.ts";
import { toText } from "../runtime/operators.ts";
import type { LuaState } from "../runtime/state.ts";
import type { LuaTable } from "../runtime/table.ts";
import type { LuaFunction, LuaResult, LuaValue } from "../runtime/value.ts";
import { argumentError, type Args, library, libraryFunction } from "./arguments.ts";

export function coroutineLibrary(state: LuaState): LuaTable {
  const table = library({
    create: (args) => create(state, args),
    resume: (args) => {
      const coroutine = checkCoroutine(state, args);
      const refusal = refusalOf(coroutine);
      if (refusal !== undefined) return [false, refusal];
      return state.protect(
        () => coroutine.resume(state, args.slice(1)),
        (error) => [false, error],
      );
    },
    running: () => state.coroutine,
    status: (args) => checkCoroutine(state, args).status,
    wrap: (args) => {
      const coroutine = create(state, args);
      return libraryFunction((values) => resumeWrapped(state, coroutine, values));
    },
  });
  table.set("yield", yieldFunction());
  return table;
}

function create(state: LuaState, [target]: Args): Coroutine {
  if (typeof target === "function" && target.library !== true) return new Coroutine(target);
  throw argumentError(state, 0, "Lua function expected");
}

function checkCoroutine(state: LuaState, [value]: Args): Coroutine {
  if (value instanceof Coroutine) return value;
  throw argumentError(state, 0, "coroutine expected");
}

function refusalOf({ status }: Coroutine): string | undefined {
  return status === "suspended" ? undefined : `cannot resume ${status} coroutine`;
}

/** Errors go on to the caller, with its place before a text. */
function resumeWrapped(state: LuaState, coroutine: Coroutine, values: Args): LuaResult {
  const refusal = refusalOf(coroutine);
  if (refusal !== undefined) throw state.error(refusal);
  try {
    return coroutine.resume(state, values);
  } catch (error) {
    const caught = state.asLuaError(error);
    if (caught === undefined) throw error;
    const text = toText(caught.value);
    throw text === undefined ? caught : new LuaError(state.where(1) + text);
  }
}

function yieldFunction(): LuaFunction {
  const suspend: LuaFunction = refuseYield;
  suspend.library = true;
  suspend.generator = yieldValues;
  return suspend;
}

function refuseYield(): never {
  throw yieldAcrossCall();
}

function* yieldValues(...values: LuaValue[]): Body {
  return yield values;
}
