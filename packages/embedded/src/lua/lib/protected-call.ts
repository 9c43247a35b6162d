/** Redis's pcall. It differs from Lua's in one thing: of an error table it returns the text, as before Redis 7. */
import { callValue, toText } from "../runtime/operators.ts";
import { index } from "../runtime/indexing.ts";
import { LIBRARY_SITE } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable } from "../runtime/table.ts";
import type { LuaResult, LuaValue } from "../runtime/value.ts";
import type { Args } from "./arguments.ts";

export function protectedCall(state: LuaState, [target, ...args]: Args): LuaResult {
  return state.protect(
    () => callValue(state, target, args),
    (error) => [false, ...described(state, error)],
  );
}

/** A table without a text is followed by what it has in the place of one. */
function described(state: LuaState, error: LuaValue): LuaValue[] {
  if (!(error instanceof LuaTable)) return [error];
  const text = index(state, error, "err", LIBRARY_SITE);
  return toText(text) === undefined ? [error, text] : [text];
}
