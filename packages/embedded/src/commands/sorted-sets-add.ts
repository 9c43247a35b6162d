/** Sorted sets: adding members and changing scores. */
import { fail, SYNTAX } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { doubleArgument } from "../base/numbers.ts";
import { Double, NIL, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type ScoredMember, SortedSetValue } from "../values/sorted-set.ts";
import { type Command, command } from "../engine/command.ts";

const NOT_A_NUMBER = "ERR resulting score is not a number (NaN)";

export const sortedSetAddCommands: readonly Command[] = [
  command({
    name: "zadd",
    arity: -4,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => {
      const { options, next } = optionsOf(args);
      const pairs = pairsOf(args, next, options);
      return options.increment ? increment(ctx, args[1], pairs, options) : addMembers(ctx, args[1], pairs, options);
    },
  }),
  command({
    name: "zincrby",
    arity: 4,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, by, member]) => increment(ctx, key, [[doubleArgument(by), member]], NO_OPTIONS),
  }),
];

/** Which members ZADD touches, and what it counts. */
export interface AddOptions {
  /** NX: only new members. */
  readonly onlyNew: boolean;
  /** XX: only known members. */
  readonly onlyKnown: boolean;
  /** GT: only to a higher score. */
  readonly onlyHigher: boolean;
  /** LT: only to a lower score. */
  readonly onlyLower: boolean;
  /** CH: count members with another score too. */
  readonly countChanged: boolean;
  /** INCR: the score is added to the old one. */
  readonly increment: boolean;
}

type Name = keyof AddOptions;

export const NO_OPTIONS: AddOptions = {
  onlyNew: false,
  onlyKnown: false,
  onlyHigher: false,
  onlyLower: false,
  countChanged: false,
  increment: false,
};

const OPTIONS: ReadonlyMap<string, Name> = new Map([
  ["NX", "onlyNew"],
  ["XX", "onlyKnown"],
  ["GT", "onlyHigher"],
  ["LT", "onlyLower"],
  ["CH", "countChanged"],
  ["INCR", "increment"],
]);

/** Options stand between the key and the first score; `next` is the place after them. */
function optionsOf(args: readonly string[]): { readonly options: AddOptions; readonly next: number } {
  let options = NO_OPTIONS;
  let next = 2;
  for (; next < args.length; next += 1) {
    const name = OPTIONS.get((args[next] ?? "").toUpperCase());
    if (name === undefined) break;
    options = { ...options, [name]: true };
  }
  return { options, next };
}

function pairsOf(args: readonly string[], start: number, options: AddOptions): ScoredMember[] {
  const words = args.length - start;
  if (words === 0 || words % 2 !== 0) fail(SYNTAX);
  refuseContradiction(options);
  if (options.increment && words > 2) fail("ERR INCR option supports a single increment-element pair");
  const pairs: ScoredMember[] = [];
  for (let i = start; i < args.length; i += 2) pairs.push([doubleArgument(args[i] ?? ""), args[i + 1] ?? ""]);
  return pairs;
}

function refuseContradiction({ onlyNew, onlyKnown, onlyHigher, onlyLower }: AddOptions): void {
  if (onlyNew && onlyKnown) fail("ERR XX and NX options at the same time are not compatible");
  if ((onlyNew && (onlyHigher || onlyLower)) || (onlyHigher && onlyLower)) {
    fail("ERR GT, LT, and/or NX options at the same time are not compatible");
  }
}

/** ZADD without INCR, also for GEOADD: the number of members added, or added and changed. */
export function addMembers(ctx: Session, key: string, pairs: readonly ScoredMember[], options: AddOptions): number {
  const zset = openForAdding(ctx, key, options);
  if (zset === undefined) return 0;
  let added = 0;
  let changed = 0;
  for (const [score, member] of pairs) {
    const old = zset.score(member);
    if (!isTouched(old, score, options)) continue;
    if (old === undefined) added += 1;
    else if (old !== score) changed++;
    zset.set(member, score);
  }
  if (added + changed > 0) ctx.db.changed(key, EVENT.zset, "zadd");
  return options.countChanged ? added + changed : added;
}

/** The new score, or nil when an option held the member back. */
function increment(ctx: Session, key: string, pairs: readonly ScoredMember[], options: AddOptions): Reply {
  const [by, member] = pairs[0] as ScoredMember;
  const zset = openForAdding(ctx, key, options);
  if (zset === undefined) return NIL;
  const old = zset.score(member);
  if (old !== undefined && options.onlyNew) return NIL;
  const score = old === undefined ? by : old + by;
  if (Number.isNaN(score)) fail(NOT_A_NUMBER);
  if (!isTouched(old, score, options)) return NIL;
  zset.set(member, score);
  if (old !== score) ctx.db.changed(key, EVENT.zset, "zincr");
  return new Double(score);
}

/** The set, made when it is not there; undefined when there is none and XX allows none. */
function openForAdding(ctx: Session, key: string, options: AddOptions): SortedSetValue | undefined {
  const zset = ctx.db.getAs(key, SortedSetValue);
  if (zset !== undefined || options.onlyKnown) return zset;
  const made = new SortedSetValue(ctx.engine.config);
  ctx.db.add(key, made);
  return made;
}

function isTouched(old: number | undefined, score: number, options: AddOptions): boolean {
  if (old === undefined) return !options.onlyKnown;
  if (options.onlyNew) return false;
  return !(options.onlyLower && score >= old) && !(options.onlyHigher && score <= old);
}

/** Puts a result in the place of whatever is at `key`; an empty one only deletes that. The number of members. */
export function storeSortedSet(ctx: Session, key: string, zset: SortedSetValue, event: string): number {
  if (zset.size > 0) {
    ctx.db.set(key, zset);
    ctx.db.changed(key, EVENT.zset, event);
  } else if (ctx.db.delete(key)) ctx.db.changed(key, EVENT.generic, "del");
  return zset.size;
}
