/** Sets: intersection, union, difference. */
import { fail, SYNTAX } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { rangeArgument } from "../base/numbers.ts";
import { type Reply, SetReply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { SetValue } from "../values/set.ts";
import { type Command, command, countedKeys, is } from "../engine/command.ts";

/** Sets in the order of their keys; undefined where there is no key. */
type Operands = readonly (SetValue | undefined)[];
type Operation = (sets: Operands) => SetValue;

export const setAlgebraCommands: readonly Command[] = [
  command({
    name: "sinter",
    arity: -2,
    flags: "readonly",
    keys: [1, -1, 1],
    category: "set",
    run: (ctx, args) => answer(ctx, args, intersection),
  }),
  command({
    name: "sunion",
    arity: -2,
    flags: "readonly",
    keys: [1, -1, 1],
    category: "set",
    run: (ctx, args) => answer(ctx, args, union),
  }),
  command({
    name: "sdiff",
    arity: -2,
    flags: "readonly",
    keys: [1, -1, 1],
    category: "set",
    run: (ctx, args) => answer(ctx, args, difference),
  }),
  command({
    name: "sinterstore",
    arity: -3,
    flags: "write denyoom",
    keys: [1, -1, 1],
    category: "set",
    run: (ctx, args) => store(ctx, args, intersection, "sinterstore"),
  }),
  command({
    name: "sunionstore",
    arity: -3,
    flags: "write denyoom",
    keys: [1, -1, 1],
    category: "set",
    run: (ctx, args) => store(ctx, args, union, "sunionstore"),
  }),
  command({
    name: "sdiffstore",
    arity: -3,
    flags: "write denyoom",
    keys: [1, -1, 1],
    category: "set",
    run: (ctx, args) => store(ctx, args, difference, "sdiffstore"),
  }),
  command({
    name: "sintercard",
    arity: -3,
    flags: "readonly",
    keys: countedKeys(1),
    category: "set",
    run: (ctx, args) => cardinality(ctx, args),
  }),
];

function answer(ctx: Session, args: readonly string[], operation: Operation): Reply {
  return new SetReply(operation(read(ctx, args.slice(1))).members(ctx.engine.config));
}

/** An empty result deletes the destination. */
function store(ctx: Session, args: readonly [string, string, ...string[]], operation: Operation, event: string): Reply {
  const [, destination] = args;
  const result = operation(read(ctx, args.slice(2)));
  if (result.size > 0) {
    ctx.db.set(destination, result);
    ctx.db.changed(destination, EVENT.set, event);
  } else if (ctx.db.delete(destination)) {
    ctx.db.changed(destination, EVENT.generic, "del");
  }
  return result.size;
}

function cardinality(ctx: Session, args: readonly [string, string, ...string[]]): Reply {
  const count = rangeArgument(args[1], 1, Infinity, "ERR numkeys should be greater than 0");
  if (count > args.length - 2) fail("ERR Number of keys can't be greater than number of args");
  let limit = 0;
  for (let i = 2 + count; i < args.length; i += 2) {
    const value = args[i + 1];
    if (!is(args[i], "LIMIT") || value === undefined) return fail(SYNTAX);
    limit = rangeArgument(value, 0, Infinity, "ERR LIMIT can't be negative");
  }
  let found = 0;
  for (const _member of common(read(ctx, args.slice(2, 2 + count)))) if (++found === limit) break;
  return found;
}

function read(ctx: Session, keys: readonly string[]): Operands {
  return keys.map((key) => ctx.db.readAs(key, SetValue));
}

function intersection(sets: Operands): SetValue {
  return setOf(common(sets));
}

/** What all have: the members of the smallest that are in every other. */
function* common(sets: Operands): Generator<string> {
  if (!sets.every((set) => set !== undefined)) return;
  const [smallest, ...others] = sets.toSorted((a, b) => a.size - b.size);
  for (const member of smallest?.elements() ?? []) if (others.every((set) => set.has(member))) yield member;
}

function union(sets: Operands): SetValue {
  const result = new SetValue();
  for (const set of sets) for (const member of set?.elements() ?? []) result.add(member);
  return result;
}

/** The members of the first that no other has: by looking each up in the others, or by taking theirs away, whichever is less work. */
function difference([first, ...rest]: Operands): SetValue {
  const others = rest.filter((set) => set !== undefined);
  if (first === undefined || others.includes(first)) return new SetValue();
  const lookUps = Math.floor((first.size * (others.length + 1)) / 2);
  const removals = others.reduce((sum, set) => sum + set.size, first.size);
  if (lookUps > removals) return withoutAll(first, others);
  const bySize = others.toSorted((a, b) => b.size - a.size);
  return setOf(remaining(first, bySize));
}

function* remaining(first: SetValue, others: readonly SetValue[]): Generator<string> {
  for (const member of first.elements()) if (!others.some((set) => set.has(member))) yield member;
}

function withoutAll(first: SetValue, others: readonly SetValue[]): SetValue {
  const result = setOf(first.elements());
  for (const set of others) {
    for (const member of set.elements()) result.delete(member);
    if (result.size === 0) break;
  }
  return result;
}

function setOf(members: Iterable<string>): SetValue {
  const set = new SetValue();
  for (const member of members) set.add(member);
  return set;
}
