/** Lua's names for its types, as `type` answers and as error messages use. */
import { LuaTable } from "./table.ts";
import { LightUserdata, type LuaValue } from "./value.ts";

export function typeName(value: LuaValue): string {
  switch (typeof value) {
    case "undefined":
      return "nil";
    case "boolean":
    case "number":
    case "string":
    case "function":
      return typeof value;
    default:
      if (value instanceof LuaTable) return "table";
      return value instanceof LightUserdata ? "userdata" : "thread";
  }
}
