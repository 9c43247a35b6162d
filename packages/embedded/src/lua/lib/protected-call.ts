/**
 * pcall and xpcall, each in two forms: plain, and as a generator in which the script can pause. Redis's pcall differs from Lua's
 * in one thing: of an error table it returns the text, as before Redis 7.
 */
import type { Body } from "../runtime/coroutine.ts";
import { callValue, pausableCallValue, toText } from "../runtime/operators.ts";
import { index } from "../runtime/indexing.ts";
import { LIBRARY_SITE } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable } from "../runtime/table.ts";
import { first, type LuaResult, type LuaValue } from "../runtime/value.ts";
import { type Args, checkAny } from "./arguments.ts";

export function protectedCall(state: LuaState, [target, ...args]: Args): LuaResult {
  return state.protect(
    () => callValue(state, target, args),
    (error) => [false, ...described(state, error)],
  );
}

export function pausableProtectedCall(state: LuaState, [target, ...args]: Args): Body {
  return state.pausableProtect(
    () => pausableCallValue(state, target, args),
    (error) => [false, ...described(state, error)],
  );
}

export function handledCall(state: LuaState, args: Args): LuaResult {
  const handler = checkAny(state, args, 1);
  return state.protect(
    () => callValue(state, args[0], []),
    (error) => [false, first(callValue(state, handler, [error]))],
  );
}

export function* pausableHandledCall(state: LuaState, args: Args): Body {
  const handler = checkAny(state, args, 1);
  return yield* state.pausableProtect(
    () => pausableCallValue(state, args[0], []),
    (error) => [false, first(callValue(state, handler, [error]))],
  );
}

/** A table without a text is followed by what it has in the place of one. */
function described(state: LuaState, error: LuaValue): LuaValue[] {
  if (!(error instanceof LuaTable)) return [error];
  const text = index(state, error, "err", LIBRARY_SITE);
  return toText(text) === undefined ? [error, text] : [text];
}
