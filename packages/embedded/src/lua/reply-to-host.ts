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
/** Items of a reply, and tables among them. A table that holds itself twice would have 2^1000. */
const MOST_ITEMS = 2 ** 24;
const MOST_TABLES = 2 ** 19;

interface Walk {
  readonly resp: 2 | 3;
  items: number;
  tables: number;
}

/** @param resp the protocol that the script has chosen: in RESP2 true is 1 and false is null */
export function toHost(value: LuaValue, resp: 2 | 3): HostReply {
  const walk = { resp, items: 0, tables: 0 };
  const reply = convert(value, walk, 0);
  return isTooLarge(walk) ? { type: "error", value: "ERR the script's reply has too many items" } : reply;
}

function convert(value: LuaValue, walk: Walk, depth: number): HostReply {
  walk.items += 1;
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return toWhole(value);
    case "boolean":
      return walk.resp === 3 ? value : value ? 1 : null;
    default:
      return value instanceof LuaTable ? tableToHost(value, walk, depth) : null;
  }
}

/** Cut off towards zero; a number that a double cannot count to exactly is a bigint. */
function toWhole(number: number): number | bigint {
  return Number.isSafeInteger(Math.trunc(number)) ? Math.trunc(number) + 0 : toInt64(number);
}

function tableToHost(table: LuaTable, walk: Walk, depth: number): HostReply {
  if (depth >= MAX_DEPTH) return { type: "error", value: "ERR reached lua stack limit" };
  walk.tables += 1;
  if (isTooLarge(walk)) return null;
  return tagged(table, walk, depth) ?? listToHost(table, walk, depth);
}

function isTooLarge({ items, tables }: Walk): boolean {
  return items > MOST_ITEMS || tables > MOST_TABLES;
}

/** A table with one of the fields that make it another reply than an array. */
function tagged(table: LuaTable, walk: Walk, depth: number): HostReply | undefined {
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
  if (map instanceof LuaTable) return mapToHost(map, walk, depth);
  return set instanceof LuaTable ? setToHost(set, walk, depth) : undefined;
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

function mapToHost(map: LuaTable, walk: Walk, depth: number): HostReply {
  const entries: [HostReply, HostReply][] = [];
  for (let at = map.nextPosition(-1); at !== -1; at = map.nextPosition(at)) {
    entries.push([convert(map.keyAt(at), walk, depth + 1), convert(map.valueAt(at), walk, depth + 1)]);
  }
  return { type: "map", entries };
}

function setToHost(set: LuaTable, walk: Walk, depth: number): HostReply {
  const items: HostReply[] = [];
  for (let at = set.nextPosition(-1); at !== -1; at = set.nextPosition(at)) {
    items.push(convert(set.keyAt(at), walk, depth + 1));
  }
  return { type: "set", items };
}

/** Up to the first nil. */
function listToHost(table: LuaTable, walk: Walk, depth: number): HostReply {
  const items: HostReply[] = [];
  for (let at = 1; ; at += 1) {
    const value = table.get(at);
    if (value === undefined || isTooLarge(walk)) return items;
    items.push(convert(value, walk, depth + 1));
  }
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}
