/** Lists: adding, reading, and changing inside. `lists-pop.ts` takes elements away, `lists-move.ts` from one list to another. */
import { fail, INDEX_OUT_OF_RANGE, NO_SUCH_KEY, SYNTAX } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { integerArgument } from "../base/numbers.ts";
import { NIL, OK, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type End, ListValue } from "../values/list.ts";
import { type Command, command, is } from "../engine/command.ts";

export const listCommands: readonly Command[] = [
  command({
    name: "lpush",
    arity: -3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, ...items]) => push(ctx, key, "left", items),
  }),
  command({
    name: "rpush",
    arity: -3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, ...items]) => push(ctx, key, "right", items),
  }),
  command({
    name: "lpushx",
    arity: -3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, ...items]) => pushExisting(ctx, key, "left", items),
  }),
  command({
    name: "rpushx",
    arity: -3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, ...items]) => pushExisting(ctx, key, "right", items),
  }),
  command({
    name: "llen",
    arity: 2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key]) => ctx.db.readAs(key, ListValue)?.size ?? 0,
  }),
  command({
    name: "lindex",
    arity: 3,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, index]) => elementAt(ctx, key, index),
  }),
  command({
    name: "lrange",
    arity: 4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, start, stop]) => range(ctx, key, integerArgument(start), integerArgument(stop)),
  }),
  command({
    name: "lset",
    arity: 4,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, index, item]) => replace(ctx, key, index, item),
  }),
  command({
    name: "linsert",
    arity: 5,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, where, pivot, item]) => insert(ctx, key, sideArgument(where), pivot, item),
  }),
  command({
    name: "lrem",
    arity: 4,
    flags: "write",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, count, item]) => remove(ctx, key, integerArgument(count), item),
  }),
  command({
    name: "ltrim",
    arity: 4,
    flags: "write",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, [, key, start, stop]) => trim(ctx, key, integerArgument(start), integerArgument(stop)),
  }),
];

function push(ctx: Session, key: string, end: End, items: readonly string[]): Reply {
  let list = ctx.db.getAs(key, ListValue);
  if (list === undefined) ctx.db.add(key, (list = new ListValue()));
  return pushAll(ctx, key, list, end, items);
}

function pushExisting(ctx: Session, key: string, end: End, items: readonly string[]): Reply {
  const list = ctx.db.getAs(key, ListValue);
  return list === undefined ? 0 : pushAll(ctx, key, list, end, items);
}

function pushAll(ctx: Session, key: string, list: ListValue, end: End, items: readonly string[]): Reply {
  for (const item of items) list.push(end, item);
  ctx.db.changed(key, EVENT.list, end === "left" ? "lpush" : "rpush");
  return list.size;
}

/** A negative index counts from the end; undefined outside of the list. */
function placeOf(list: ListValue, index: number): number | undefined {
  const place = index < 0 ? list.size + index : index;
  return place >= 0 && place < list.size ? place : undefined;
}

function elementAt(ctx: Session, key: string, index: string): Reply {
  const list = ctx.db.readAs(key, ListValue);
  if (list === undefined) return NIL;
  const place = placeOf(list, integerArgument(index));
  return place === undefined ? NIL : list.items.at(place);
}

/** Both ends included; negative ones count from the end. The result is half open, and empty where there is nothing. */
function rangeOf(list: ListValue, start: number, stop: number): { readonly start: number; readonly end: number } {
  const from = Math.max(start < 0 ? list.size + start : start, 0);
  const to = Math.min(stop < 0 ? list.size + stop : stop, list.size - 1);
  return from > to ? { start: 0, end: 0 } : { start: from, end: to + 1 };
}

function range(ctx: Session, key: string, start: number, stop: number): Reply {
  const list = ctx.db.readAs(key, ListValue);
  if (list === undefined) return [];
  const taken = rangeOf(list, start, stop);
  return list.items.slice(taken.start, taken.end);
}

function replace(ctx: Session, key: string, index: string, item: string): Reply {
  const list = ctx.db.getAs(key, ListValue) ?? fail(NO_SUCH_KEY);
  const place = placeOf(list, integerArgument(index)) ?? fail(INDEX_OUT_OF_RANGE);
  list.items.set(place, item);
  ctx.db.changed(key, EVENT.list, "lset");
  return OK;
}

/** How far behind the pivot's place the new element goes. */
function sideArgument(where: string): 0 | 1 {
  if (is(where, "BEFORE")) return 0;
  return is(where, "AFTER") ? 1 : fail(SYNTAX);
}

/** The length of the list; 0 where there is none, -1 when the pivot is not in it. */
function insert(ctx: Session, key: string, side: 0 | 1, pivot: string, item: string): Reply {
  const list = ctx.db.getAs(key, ListValue);
  if (list === undefined) return 0;
  const [place] = placesOf(list, pivot, 1);
  if (place === undefined) return -1;
  list.items.insert(place + side, item);
  ctx.db.changed(key, EVENT.list, "linsert");
  return list.size;
}

function remove(ctx: Session, key: string, count: number, item: string): Reply {
  const list = ctx.db.getAs(key, ListValue);
  if (list === undefined) return 0;
  const places = placesOf(list, item, count);
  if (places.length === 0) return 0;
  list.items.deleteEach(places);
  ctx.db.removed(key, list, EVENT.list, "lrem");
  return places.length;
}

/** The rising places of up to |count| equal elements (0 for all), sought from the end when the count is negative. */
function placesOf({ items }: ListValue, item: string, count: number): number[] {
  const most = count === 0 ? Infinity : Math.abs(count);
  const places: number[] = [];
  if (count >= 0) {
    for (let i = 0; i < items.size && places.length < most; i += 1) if (items.at(i) === item) places.push(i);
    return places;
  }
  for (let i = items.size - 1; i >= 0 && places.length < most; i -= 1) if (items.at(i) === item) places.push(i);
  return places.toReversed();
}

function trim(ctx: Session, key: string, start: number, stop: number): Reply {
  const list = ctx.db.getAs(key, ListValue);
  if (list === undefined) return OK;
  const kept = rangeOf(list, start, stop);
  list.items.delete(kept.end, list.size);
  list.items.delete(0, kept.start);
  ctx.db.removed(key, list, EVENT.list, "ltrim");
  return OK;
}
