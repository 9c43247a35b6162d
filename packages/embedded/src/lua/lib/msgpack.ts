/** The cmsgpack library (lua_cmsgpack.c 0.4.0). */
import type { LuaState } from "../runtime/state.ts";
import type { LuaTable } from "../runtime/table.ts";
import type { LuaResult } from "../runtime/value.ts";
import { argumentError, type Args, checkInteger, checkString, library, optionalInteger } from "./arguments.ts";
import { toInt32 } from "../runtime/number.ts";
import { MessageDecoder } from "./msgpack-decode.ts";
import { MessageEncoder } from "./msgpack-encode.ts";

export function messagePackLibrary(state: LuaState): LuaTable {
  const table = library(
    {
      pack: (args) => {
        if (args.length === 0) throw argumentError(state, -1, "MessagePack pack needs input.");
        return args.map((value) => new MessageEncoder(state).encode(value)).join("");
      },
      unpack: (args) => unpack(state, args, 0, 0),
      unpack_one: (args) => unpack(state, args, 1, optionalInteger(state, args, 1, 0)),
      unpack_limit: (args) => unpack(state, args, checkInteger(state, args, 1), optionalInteger(state, args, 2, 0)),
    },
    { sized: false },
  );
  table.set("_NAME", "cmsgpack");
  table.set("_VERSION", "lua-cmsgpack 0.4.0");
  table.set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo");
  table.set("_DESCRIPTION", "MessagePack C implementation for Lua");
  return table;
}

/** All values when limit and offset are 0; otherwise the offset to go on at (-1 at the end), then up to limit values. */
function unpack(state: LuaState, args: Args, limit: number, offset: number): LuaResult {
  const data = checkString(state, args, 0);
  if (offset < 0 || limit < 0) {
    const [start, length] = [toInt32(offset), toInt32(data.length)];
    throw state.error(`Invalid request to unpack with offset of ${start} and limit of ${length}.`);
  }
  if (offset > data.length) {
    throw state.error(`Start offset ${toInt32(offset)} greater than input length ${data.length}.`);
  }
  const all = limit === 0 && offset === 0;
  const decoder = new MessageDecoder(state, data, offset);
  const values: LuaResult[] = [];
  const most = all ? Infinity : limit;
  while (!decoder.done && values.length < most) values.push(decoder.decode());
  if (all) return values as LuaResult;
  return [decoder.done ? -1 : decoder.position, ...values] as LuaResult;
}
