/** `t[k]` and `t[k] = v` with metamethods (lvm.c: luaV_gettable, luaV_settable). */
import { errorAt, metamethod, runMetamethod, typeError } from "./operators.ts";
import type { Site } from "./site.ts";
import type { LuaState } from "./state.ts";
import { LuaTable } from "./table.ts";
import type { LuaValue } from "./value.ts";

/** Longest chain of `__index` tables. */
const MAX_CHAIN = 100;

export const READONLY_MESSAGE = "Attempt to modify a readonly table";

export function index(state: LuaState, object: LuaValue, key: LuaValue, site: Site): LuaValue {
  if (object instanceof LuaTable) {
    const value = object.get(key);
    if (value !== undefined || object.metatable === undefined) return value;
  }
  return indexByMetamethod(state, object, key, site);
}

/** `t.name`, with a name that the source spells out. */
export function field(state: LuaState, object: LuaValue, key: string, site: Site): LuaValue {
  if (object instanceof LuaTable) {
    const value = object.getString(key);
    if (value !== undefined || object.metatable === undefined) return value;
  }
  return indexByMetamethod(state, object, key, site);
}

function indexByMetamethod(state: LuaState, object: LuaValue, key: LuaValue, site: Site): LuaValue {
  let target = object;
  for (let round = 0; round < MAX_CHAIN; round += 1) {
    if (target instanceof LuaTable) {
      const value = target.get(key);
      if (value !== undefined) return value;
    }
    const handler = metamethod(state, target, "__index");
    if (handler === undefined) {
      if (target instanceof LuaTable) return undefined;
      throw typeError(state, site, target, "index", round === 0 ? site.left : "");
    }
    if (typeof handler === "function") return runMetamethod(state, handler, [target, key], site);
    target = handler;
  }
  throw errorAt(state, site, "loop in gettable");
}

export function setIndex(state: LuaState, object: LuaValue, key: LuaValue, value: LuaValue, site: Site): void {
  let target = object;
  for (let round = 0; round < MAX_CHAIN; round += 1) {
    const handler = setDirectly(state, target, key, value, site);
    if (handler === undefined) {
      if (target instanceof LuaTable) return;
      throw typeError(state, site, target, "index", round === 0 ? site.left : "");
    }
    if (typeof handler === "function") {
      runMetamethod(state, handler, [target, key, value], site);
      return;
    }
    target = handler;
  }
  throw errorAt(state, site, "loop in settable");
}

/** Sets it unless a `__newindex` is responsible, which is then the result. */
function setDirectly(state: LuaState, target: LuaValue, key: LuaValue, value: LuaValue, site: Site): LuaValue {
  if (!(target instanceof LuaTable)) return metamethod(state, target, "__newindex");
  if (target.readonly) throw errorAt(state, site, READONLY_MESSAGE);
  const handler = target.metatable?.getString("__newindex");
  if (handler !== undefined && target.get(key) === undefined) {
    // Lua looks for the key's place first and so claims a node for it.
    checkKey(state, key, site);
    target.set(key, undefined);
    return handler;
  }
  checkKey(state, key, site);
  target.set(key, value);
  return undefined;
}

export function checkKey(state: LuaState, key: LuaValue, site: Site): void {
  if (key === undefined) throw errorAt(state, site, "table index is nil");
  if (Number.isNaN(key)) throw errorAt(state, site, "table index is NaN");
}
