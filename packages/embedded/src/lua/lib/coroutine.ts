/** The coroutine library (lbaselib.c). */
import { LuaError } from "../runtime/errors.ts";
import { type Body, Coroutine, runToEnd, yieldAcrossCall } from "../runtime/coroutine.ts";
import { toText } from "../runtime/operators.ts";
import type { LuaState } from "../runtime/state.ts";
import type { LuaTable } from "../runtime/table.ts";
import type { LuaFunction, LuaValue } from "../runtime/value.ts";
import { argumentError, type Args, library, type LibraryFunction, libraryFunction } from "./arguments.ts";

export function coroutineLibrary(state: LuaState): LuaTable {
  const functions: Readonly<Record<string, LibraryFunction>> = {
    create: (args) => create(state, args),
    resume: (args) => runToEnd(state, resume(state, args)),
    running: () => state.coroutine,
    status: (args) => checkCoroutine(state, args).status,
    wrap: (args) => {
      const coroutine = create(state, args);
      return libraryFunction(
        (values) => runToEnd(state, resumeWrapped(state, coroutine, values)),
        (values) => resumeWrapped(state, coroutine, values),
      );
    },
  };
  const table = library(functions, { pausable: { resume: (args) => resume(state, args) } });
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

function* resume(state: LuaState, args: Args): Body {
  const coroutine = checkCoroutine(state, args);
  const refusal = refusalOf(coroutine);
  if (refusal !== undefined) return [false, refusal];
  return yield* state.pausableProtect(
    () => coroutine.resume(state, args.slice(1)),
    (error) => [false, error],
  );
}

/** Errors go on to the caller, with its place before a text. */
function* resumeWrapped(state: LuaState, coroutine: Coroutine, values: Args): Body {
  const refusal = refusalOf(coroutine);
  if (refusal !== undefined) throw state.error(refusal);
  try {
    return yield* coroutine.resume(state, values);
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
