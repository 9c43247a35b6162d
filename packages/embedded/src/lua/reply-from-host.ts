/** Replies of commands as Lua values (script_lua.c: redisProtocolToLuaType). */
import type { HostReply, TaggedReply } from "./host.ts";
import { LuaTable } from "./runtime/table.ts";
import { cString } from "./runtime/site.ts";
import type { LuaValue } from "./runtime/value.ts";

/** @param resp the protocol that the script has chosen: RESP2's null is false, RESP3's is nil */
export function fromHost(reply: HostReply, resp: 2 | 3): LuaValue {
  switch (typeof reply) {
    case "string":
    case "number":
    case "boolean":
      return reply;
    case "bigint":
      return Number(reply);
    default:
      if (reply === null) return resp === 3 ? undefined : false;
      return Array.isArray(reply) ? listOf(reply, resp) : fromTagged(reply, resp);
  }
}

function listOf(items: readonly HostReply[], resp: 2 | 3): LuaTable {
  const values = items.map((item) => fromHost(item, resp));
  if (!values.includes(undefined)) return LuaTable.ofList(values);
  const table = new LuaTable();
  for (const [at, value] of values.entries()) table.set(at + 1, value);
  return table;
}

function fromTagged(reply: TaggedReply, resp: 2 | 3): LuaTable {
  switch (reply.type) {
    case "status":
      return single("ok", reply.value);
    case "error": {
      const table = errorTable(`-${reply.value}`);
      table.set("ignore_error_stats_update", true);
      return table;
    }
    case "double":
      return single("double", reply.value);
    case "bignum":
      return single("big_number", reply.value);
    case "verbatim": {
      const text = single("string", reply.value);
      text.set("format", reply.format);
      return single("verbatim_string", text);
    }
    case "map": {
      const map = new LuaTable();
      for (const [key, value] of reply.entries) map.set(fromHost(key, resp), fromHost(value, resp));
      return single("map", map);
    }
    default: {
      const set = new LuaTable();
      for (const item of reply.items) set.set(fromHost(item, resp), true);
      return single("set", set);
    }
  }
}

function single(key: string, value: LuaValue): LuaTable {
  const table = new LuaTable();
  table.set(key, value);
  return table;
}

/** An error table of a message: one that begins with a minus has its code first, any other gets `ERR`. */
export function errorTable(message: string): LuaTable {
  const text = cString(message);
  if (!text.startsWith("-")) return single("err", `ERR ${trimLine(text)}`);
  const space = text.indexOf(" ");
  const [code, rest] = space === -1 ? ["ERR", text.slice(1)] : [text.slice(1, space), text.slice(space + 1)];
  return single("err", `${code} ${trimLine(rest)}`);
}

function trimLine(text: string): string {
  return text.replace(/^[\r\n]+|[\r\n]+$/g, "");
}
