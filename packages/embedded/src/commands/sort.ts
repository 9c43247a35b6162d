/** SORT and SORT_RO: the elements of a list, set or sorted set in order, with weights and values taken from other keys. */
import { cString, fail, SYNTAX, WRONG_TYPE } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { integerArgument, parseDouble } from "../base/numbers.ts";
import { NIL, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { Bytes } from "../values/bytes.ts";
import { HashValue } from "../values/hash.ts";
import { ListValue } from "../values/list.ts";
import { SortedSetValue } from "../values/sorted-set.ts";
import { Collection } from "../values/value.ts";
import { type Command, command } from "../engine/command.ts";

export const sortCommands: readonly Command[] = [
  command({
    name: "sort",
    arity: -2,
    flags: "write denyoom",
    keys: sortKeys,
    category: "set sortedset list dangerous",
    run: (ctx, args) => sort(ctx, args[1], parseOptions(args, true)),
  }),
  command({
    name: "sort_ro",
    arity: -2,
    flags: "readonly",
    keys: () => [1],
    category: "set sortedset list dangerous",
    run: (ctx, args) => sort(ctx, args[1], parseOptions(args, false)),
  }),
];

interface SortOptions {
  descending: boolean;
  alphabetic: boolean;
  offset: number;
  count: number;
  by: string | undefined;
  get: string[];
  store: string | undefined;
}

/** The place of STORE's key too; the last one counts. */
function sortKeys(args: readonly string[]): number[] {
  let store = 0;
  for (let i = 2; i < args.length; i += 1) {
    const name = args[i]?.toUpperCase();
    if (name === "LIMIT") i += 2;
    else if (name === "GET" || name === "BY") i++;
    else if (name === "STORE" && i + 1 < args.length) store = ++i;
  }
  return store === 0 ? [1] : [1, store];
}

function parseOptions(args: readonly string[], mayStore: boolean): SortOptions {
  const options: SortOptions = {
    descending: false,
    alphabetic: false,
    offset: 0,
    count: -1,
    by: undefined,
    get: [],
    store: undefined,
  };
  for (let i = 2; i < args.length; i += 1) {
    const name = args[i]?.toUpperCase();
    const value = args[i + 1];
    if (name === "ASC") options.descending = false;
    else if (name === "DESC") options.descending = true;
    else if (name === "ALPHA") options.alphabetic = true;
    else if (value === undefined) fail(SYNTAX);
    else if (name === "LIMIT" && i + 2 < args.length) {
      options.offset = integerArgument(value);
      options.count = integerArgument(args[i + 2] as string);
      i += 2;
    } else {
      if (name === "BY") options.by = value;
      else if (name === "GET") options.get.push(value);
      else if (name === "STORE" && mayStore) options.store = value;
      else fail(SYNTAX);
      i += 1;
    }
  }
  return options;
}

function sort(ctx: Session, key: string, options: SortOptions): Reply {
  const value = ctx.db.read(key)?.value;
  const elements = [...elementsOf(value)];
  if (value instanceof SortedSetValue) value.leaveListpack();
  const ordered = limit(order(ctx, value, elements, options), options);
  const rows = ordered.flatMap((element) =>
    options.get.length === 0 ? [element] : project(ctx, element, options.get),
  );
  return options.store === undefined ? rows.map((row) => row ?? NIL) : store(ctx, options.store, rows);
}

function elementsOf(value: unknown): Iterable<string> {
  if (value === undefined) return [];
  return (value instanceof Collection ? value.elements() : undefined) ?? fail(WRONG_TYPE);
}

/**
 * A BY without a star asks for no order: lists and sorted sets keep their own (or its reverse), a set has none and is ordered
 * only where the result is kept.
 */
function order(ctx: Session, value: unknown, elements: string[], options: SortOptions): string[] {
  const unordered = options.by !== undefined && !options.by.includes("*");
  if (!unordered) return byWeight(ctx, elements, options, options.by);
  const isSet = value instanceof Collection && value.type === "set";
  if (!isSet) return options.descending ? elements.toReversed() : elements;
  if (options.store === undefined && !ctx.isScript) return elements;
  return byWeight(ctx, elements, { ...options, alphabetic: true }, undefined);
}

function byWeight(ctx: Session, elements: string[], options: SortOptions, by: string | undefined): string[] {
  const weight = (element: string): string | undefined => (by === undefined ? element : lookUp(ctx, by, element));
  const sign = options.descending ? -1 : 1;
  if (options.alphabetic) {
    const shownAs = options.store === undefined ? collated : (text: string | undefined) => text;
    const weighed = elements.map((element) => ({ element, weight: shownAs(weight(element)) }));
    return weighed.sort((a, b) => sign * compareTexts(a.weight, b.weight)).map(({ element }) => element);
  }
  const weighed = elements.map((element) => ({ element, weight: toNumber(weight(element)) }));
  return weighed
    .sort((a, b) => sign * (a.weight - b.weight || compareTexts(a.element, b.element)))
    .map(({ element }) => element);
}

/** What strcoll compares, which Redis calls where nothing is stored: a text ends before its first NUL. */
function collated(text: string | undefined): string | undefined {
  return text === undefined ? undefined : cString(text);
}

/** A missing weight comes first. */
function compareTexts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  return a < b ? -1 : 1;
}

const LEAST_NORMAL = 2 ** -1022;

/** As strtod reads a C string: after white space, up to a NUL. A number that is out of the range of doubles is none. */
function toNumber(text: string | undefined): number {
  const beforeNul = cString(text ?? "");
  if (beforeNul === "") return 0;
  const value = parseDouble(beforeNul.replace(/^[ \t-\r]+/, ""));
  if (value === undefined || isOutOfRange(value, beforeNul)) {
    return fail("ERR One or more scores can't be converted into double");
  }
  return value;
}

function isOutOfRange(value: number, text: string): boolean {
  const hasDigits = /^[^ep]*[1-9]/i.test(text);
  return hasDigits && (Math.abs(value) < LEAST_NORMAL || Math.abs(value) === Infinity);
}

function limit(elements: string[], { offset, count }: SortOptions): string[] {
  const start = Math.max(offset, 0);
  return elements.slice(start, count < 0 ? undefined : start + count);
}

function project(ctx: Session, element: string, patterns: readonly string[]): (string | undefined)[] {
  return patterns.map((pattern) => (pattern === "#" ? element : lookUp(ctx, pattern, element)));
}

/** The value at `weight_*`, or the field of the hash at `object_*->field`, with the element in place of the first star. */
function lookUp(ctx: Session, pattern: string, element: string): string | undefined {
  const star = pattern.indexOf("*");
  if (star === -1) return undefined;
  const arrow = pattern.indexOf("->", star + 1);
  const field = arrow === -1 || arrow + 2 === pattern.length ? undefined : pattern.slice(arrow + 2);
  const keyPattern = field === undefined ? pattern : pattern.slice(0, arrow);
  const value = ctx.db.read(keyPattern.slice(0, star) + element + keyPattern.slice(star + 1))?.value;
  if (field !== undefined) return value instanceof HashValue ? value.get(field) : undefined;
  if (typeof value === "string") return value;
  return value instanceof Bytes ? value.toString() : undefined;
}

function store(ctx: Session, key: string, rows: readonly (string | undefined)[]): number {
  if (rows.length === 0) {
    if (ctx.db.delete(key)) ctx.db.changed(key, EVENT.generic, "del");
    return 0;
  }
  const list = new ListValue();
  for (const row of rows) list.push("right", row ?? "");
  ctx.db.set(key, list);
  ctx.db.changed(key, EVENT.list, "sortstore");
  return rows.length;
}
