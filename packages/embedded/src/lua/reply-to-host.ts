/** Results of scripts as replies (script_lua.c: luaReplyToRedisReply). */
import type { ErrorReply, HostReply } from "./host.ts";
import { toInt64 } from "./runtime/number.ts";
import { cString } from "./runtime/site.ts";
import { LuaTable } from "./runtime/table.ts";
import type { LuaValue } from "./runtime/value.ts";

/**
 * Nested deeper, a reply ends in an error. Redis stops after about 8,000 levels; the stacks here and in the encoders of
 * replies end sooner.
 */
const MAX_DEPTH = 1_000;

/** @param resp the protocol that the script has chosen: in RESP2 true is 1 and false is null */
export function toHost(value: LuaValue, resp: 2 | 3, depth = 0): HostReply {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return toWhole(value);
    case "boolean":
      return resp === 3 ? value : value ? 1 : null;
    default:
      return value instanceof LuaTable ? tableToHost(value, resp, depth) : null;
  }
}

/** Cut off towards zero; a number that a double cannot count to exactly is a bigint. */
function toWhole(number: number): number | bigint {
  return Number.isSafeInteger(Math.trunc(number)) ? Math.trunc(number) + 0 : toInt64(number);
}

function tableToHost(table: LuaTable, resp: 2 | 3, depth: number): HostReply {
  if (depth >= MAX_DEPTH) return { type: "error", value: "ERR reached lua stack limit" };
  return tagged(table, resp, depth) ?? listToHost(table, resp, depth);
}

/** A table with one of the fields that make it another reply than an array. */
function tagged(table: LuaTable, resp: 2 | 3, depth: number): HostReply | undefined {
  if (table.nodes.length === 0) return undefined;
  const { err, ok, double, bigNumber, verbatim, map, set } = tagFields(table);
  if (typeof err === "string") return errorReply(err, table.getString("ignore_error_stats_update") === true);
  if (typeof ok === "string") return { type: "status", value: oneLine(cString(ok)) };
  if (typeof double === "number") return { type: "double", value: double };
  if (typeof bigNumber === "string") return { type: "bignum", value: oneLine(bigNumber) };
  if (verbatim instanceof LuaTable) {
    const [format, value] = [verbatim.getString("format"), verbatim.getString("string")];
    if (typeof format === "string" && typeof value === "string") return { type: "verbatim", format, value };
  }
  if (map instanceof LuaTable) return mapToHost(map, resp, depth);
  return set instanceof LuaTable ? setToHost(set, resp, depth) : undefined;
}

function tagFields(
  table: LuaTable,
): Record<"err" | "ok" | "double" | "bigNumber" | "verbatim" | "map" | "set", LuaValue> {
  return {
    err: table.getString("err"),
    ok: table.getString("ok"),
    double: table.getString("double"),
    bigNumber: table.getString("big_number"),
    verbatim: table.getString("verbatim_string"),
    map: table.getString("map"),
    set: table.getString("set"),
  };
}

/** An error reply is one line. */
export function errorReply(message: string, counted: boolean): ErrorReply {
  const value = oneLine(cString(message).replace(/[\r\n]+$/, ""));
  return counted ? { type: "error", value, counted } : { type: "error", value };
}

function mapToHost(map: LuaTable, resp: 2 | 3, depth: number): HostReply {
  const entries: [HostReply, HostReply][] = [];
  for (let at = map.nextPosition(-1); at !== -1; at = map.nextPosition(at)) {
    entries.push([toHost(map.keyAt(at), resp, depth + 1), toHost(map.valueAt(at), resp, depth + 1)]);
  }
  return { type: "map", entries };
}

function setToHost(set: LuaTable, resp: 2 | 3, depth: number): HostReply {
  const items: HostReply[] = [];
  for (let at = set.nextPosition(-1); at !== -1; at = set.nextPosition(at)) {
    items.push(toHost(set.keyAt(at), resp, depth + 1));
  }
  return { type: "set", items };
}

/** Up to the first nil. */
function listToHost(table: LuaTable, resp: 2 | 3, depth: number): HostReply {
  const items: HostReply[] = [];
  for (let at = 1; ; at += 1) {
    const value = table.get(at);
    if (value === undefined) return items;
    items.push(toHost(value, resp, depth + 1));
  }
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}
