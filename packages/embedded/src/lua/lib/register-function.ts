/** The arguments of redis.register_function (function_lua.c): a name and a function, or one table of named arguments. */
import { LuaError } from "../runtime/errors.ts";
import { errorTable } from "../reply-from-host.ts";
import { toText } from "../runtime/operators.ts";
import { cString } from "../runtime/site.ts";
import { LuaTable } from "../runtime/table.ts";
import type { LuaFunction, LuaValue } from "../runtime/value.ts";
import type { Args } from "./arguments.ts";

/** What a library registers. The host judges the name and the flags. */
export interface Registration {
  readonly name: string;
  readonly callback: LuaFunction;
  readonly description: string | undefined;
  /** In lower case. */
  readonly flags: readonly string[];
}

export function readRegistration(args: Args): Registration {
  if (args.length === 1) return readNamed(args[0]);
  if (args.length === 2) return readPositional(args);
  throw refusal("wrong number of arguments to redis.register_function");
}

function readPositional([name, callback]: Args): Registration {
  const text = toText(name);
  if (text === undefined) throw refusal("first argument to redis.register_function must be a string");
  if (typeof callback !== "function") throw refusal("second argument to redis.register_function must be a function");
  return { name: text, callback, description: undefined, flags: [] };
}

function readNamed(table: LuaValue): Registration {
  if (!(table instanceof LuaTable)) {
    throw refusal(
      "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).",
    );
  }
  const found: { -readonly [Name in keyof Registration]?: Registration[Name] } = {};
  for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) {
    const key = toText(table.keyAt(at));
    if (key === undefined) throw refusal("named argument key given to redis.register_function is not a string");
    Object.assign(found, readArgument(cString(key).toLowerCase(), table.valueAt(at)));
  }
  const { name, callback, description, flags = [] } = found;
  if (name === undefined) throw refusal("redis.register_function must get a function name argument");
  if (callback === undefined) throw refusal("redis.register_function must get a callback argument");
  return { name, callback, description, flags };
}

function readArgument(key: string, value: LuaValue): Partial<Registration> {
  switch (key) {
    case "function_name":
      return { name: textOf(key, value) };
    case "description":
      return { description: textOf(key, value) };
    case "callback":
      if (typeof value === "function") return { callback: value };
      throw refusal("callback argument given to redis.register_function must be a function");
    case "flags":
      if (value instanceof LuaTable) return { flags: flagsOf(value) };
      throw refusal("flags argument to redis.register_function must be a table representing function flags");
    default:
      throw refusal("unknown argument given to redis.register_function");
  }
}

function textOf(key: string, value: LuaValue): string {
  const text = toText(value);
  if (text === undefined) throw refusal(`${key} argument given to redis.register_function must be a string`);
  return text;
}

function flagsOf(table: LuaTable): string[] {
  const flags: string[] = [];
  for (let at = 1; ; at += 1) {
    const value = table.get(at);
    if (value === undefined) return flags;
    const text = toText(value);
    if (text === undefined) throw refusal(UNKNOWN_FLAG);
    flags.push(cString(text).toLowerCase());
  }
}

export const UNKNOWN_FLAG = "unknown flag given";

function refusal(message: string): LuaError {
  return new LuaError(errorTable(message));
}
