/**
 * How commands are written.
 *
 * A family of commands is one module in `commands/`: a list of `command({...})` which reads like a specification, exported as
 * `<family>Commands` and entered in `index.ts`. `strings.ts` is the model. Its collection class, where it has one, lives in
 * `values/` and extends `Collection`.
 *
 * `run(ctx, args)` is synchronous, gets the session and the whole command line (`args[0]` is the command's name, the arity is
 * checked already, and the type of `args` follows from it) and returns a `Reply`. What it may use:
 *
 * - Arguments: `integerArgument(text)`, `int64Argument`, `doubleArgument`, `rangeArgument` (numbers.ts) refuse with Redis's texts;
 *   `is(text, "WITHSCORES")` compares option names; `timeoutArgument(text)` returns a blocking command's milliseconds.
 * - Errors: `fail("ERR ...")` ends the command. Check first and change after: nothing is rolled back.
 * - Reading: `ctx.db.readString(key)`, `ctx.db.readAs(key, HashValue)`: undefined where there is no key, WRONGTYPE by itself.
 * - Writing: `ctx.db.getAs(key, HashValue)`; where there is none, `ctx.db.add(key, new HashValue())`. A string changed in place:
 *   `ctx.db.bytesForWrite(key)`. `ctx.db.set(key, value)` replaces whatever is there and its time to live.
 * - Reporting: after a change, once: `ctx.db.changed(key, EVENT.hash, "hset")`. After taking elements away:
 *   `ctx.db.removed(key, hash, EVENT.hash, "hdel")`, which also deletes the key when nothing is left. WATCH, tracking,
 *   blocked clients and keyspace events all follow from these two.
 * - Time: `ctx.nowMs`, never the process's own clock.
 * - Waiting: `return ctx.block({ keys, timeoutMs, timeoutReply: NIL_ARRAY, serve(key) {...} })` when there is nothing now. `serve` is
 *   called each time one of the keys changed, in order of arrival, and returns the answer or undefined to wait on.
 * - Answers: strings are bulk strings, numbers integers, arrays arrays; `OK`, `NIL`, `NIL_ARRAY`, `new Double(x)`, `new MapReply(flat)`,
 *   `new SetReply(items)` ... (reply.ts) become what each protocol version has for them.
 *
 * `testing/differential.ts` runs the same commands on a real server and compares the bytes.
 */
import { type Blocked, type Reply, Status } from "../base/reply.ts";
import type { Session } from "./session.ts";

/** The argument lists that an arity allows: exactly n, or at least n when it is negative. */
interface Arities {
  "1": readonly [string];
  "2": readonly [string, string];
  "3": readonly [string, string, string];
  "4": readonly [string, string, string, string];
  "5": readonly [string, string, string, string, string];
  "6": readonly [string, string, string, string, string, string];
  "-1": readonly [string, ...string[]];
  "-2": readonly [string, string, ...string[]];
  "-3": readonly [string, string, string, ...string[]];
  "-4": readonly [string, string, string, string, ...string[]];
  "-5": readonly [string, string, string, string, string, ...string[]];
  "-6": readonly [string, string, string, string, string, string, ...string[]];
  "-7": readonly [string, string, string, string, string, string, string, ...string[]];
  "-8": readonly [string, string, string, string, string, string, string, string, ...string[]];
}

export type Arity = 1 | 2 | 3 | 4 | 5 | 6 | -1 | -2 | -3 | -4 | -5 | -6 | -7 | -8;
export type Args<A extends Arity> = Arities[`${A}`];

/**
 * Which arguments are keys: first, last (negative counts from the end) and step; or those behind their number; or a
 * function that returns their places, for commands that say so in other arguments.
 */
export type KeySpec =
  | readonly [first: number, last: number, step: number]
  | CountedKeys
  | ((args: readonly string[]) => number[]);

/** The argument at `count` says how many keys follow it. */
export interface CountedKeys {
  readonly count: number;
  /** Places of keys before it. */
  readonly before: readonly number[];
}

export interface CommandSpec<A extends Arity> {
  /** In lower case. */
  readonly name: string;
  /** Number of arguments with the name; negative for "at least". */
  readonly arity: A;
  /** Redis's words: `write denyoom fast`, `readonly`, `noscript`, `blocking`, `admin`, `no_auth` ... */
  readonly flags?: string;
  readonly keys?: KeySpec;
  /** The group's ACL category, such as `string`; the others follow from the flags. */
  readonly category?: string;
  run(ctx: Session, args: Args<A>): Reply | Blocked;
}

export interface Command {
  readonly name: string;
  /** With its container: `client|list`. */
  readonly fullName: string;
  readonly arity: number;
  readonly flags: readonly string[];
  readonly keys: KeySpec | undefined;
  readonly category: string | undefined;
  readonly isWrite: boolean;
  readonly isRead: boolean;
  readonly noScript: boolean;
  readonly noAuth: boolean;
  readonly noMulti: boolean;
  readonly mayReplicate: boolean;
  readonly run: (ctx: Session, args: readonly string[]) => Reply | Blocked;
  /** By lower-case name; undefined for a command that is no container. */
  readonly subcommands: ReadonlyMap<string, Command> | undefined;
}

export function command<const A extends Arity>(spec: CommandSpec<A>): Command {
  return build(spec.name, spec as unknown as CommandSpec<-1>);
}

/** A command whose second word chooses what it does. A container without `run` of its own refuses to be called alone. */
export function container(name: string, subcommands: readonly CommandSpecOf[], alone?: CommandSpec<-1>): Command {
  const table = new Map(subcommands.map((spec) => [spec.name, build(`${name}|${spec.name}`, spec)]));
  const own = alone === undefined ? build(name, { name, arity: -2 as -1, run: refuse }) : build(name, alone);
  return { ...own, subcommands: table };
}

/** A subcommand, for `container`. */
export type CommandSpecOf = CommandSpec<-1>;

export function subcommand<const A extends Arity>(spec: CommandSpec<A>): CommandSpecOf {
  return spec as unknown as CommandSpecOf;
}

/** Redis's own `HELP` of a container: a heading, the given lines, and how to get help. */
export function help(name: string, lines: readonly string[], category?: string): CommandSpecOf {
  const heading = `${name.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`;
  const reply = [heading, ...lines, "HELP", "    Prints this help."].map((text) => new Status(text));
  const spec = { name: "help", arity: 2 as -1, flags: "loading stale", run: () => reply };
  return category === undefined ? spec : { ...spec, category };
}

/** Whether an option's name, in whatever case, is this one. `name` is in upper case. */
export function is(text: string | undefined, name: string): boolean {
  return text !== undefined && text.length === name.length && text.toUpperCase() === name;
}

/** The keys in a command line, by its key specification. */
export function keysOf(target: Command, args: readonly string[]): string[] {
  return keyPlaces(target, args).map((place) => args[place] ?? "");
}

export function keyPlaces({ keys }: Command, args: readonly string[]): number[] {
  if (keys === undefined) return [];
  if (typeof keys === "function") return keys(args);
  if ("count" in keys) return countedPlaces(keys, args);
  const [first, last, step] = keys;
  const end = last < 0 ? args.length + last : last;
  const places: number[] = [];
  for (let place = first; place <= end && place < args.length; place += step) places.push(place);
  return places;
}

/** For commands such as ZUNION. */
export function countedKeys(count: number, ...before: number[]): CountedKeys {
  return { count, before };
}

function countedPlaces({ count, before }: CountedKeys, args: readonly string[]): number[] {
  const number = Number(args[count]);
  if (!Number.isSafeInteger(number) || number < 1 || count + number >= args.length) return [];
  return [...before, ...Array.from({ length: number }, (_, i) => count + 1 + i)];
}

/** How a command line finds its command. */
export class CommandTable {
  /** Under the lower-case and the upper-case name, the two that clients send. */
  readonly #byName = new Map<string, Command>();
  readonly all: readonly Command[];

  constructor(commands: readonly Command[]) {
    this.all = commands;
    for (const command of commands) {
      this.#byName.set(command.name, command);
      this.#byName.set(command.name.toUpperCase(), command);
    }
  }

  /** A command by its first word, in whatever case. */
  get(name: string): Command | undefined {
    return this.#byName.get(name) ?? this.#byName.get(name.toLowerCase());
  }

  /** The command or subcommand of a command line. */
  find(args: readonly string[]): Command | undefined {
    const command = this.get(args[0] ?? "");
    if (command?.subcommands === undefined) return command;
    const word = args[1];
    return word === undefined ? command : command.subcommands.get(word.toLowerCase());
  }
}

/** What a replica or a file may have to learn though it is no write. */
const MAY_REPLICATE = new Set(["pfcount", "publish", "spublish", "eval", "evalsha", "fcall"]);

function build(fullName: string, spec: CommandSpecOf): Command {
  const flags = spec.flags === undefined ? [] : spec.flags.split(" ");
  return {
    name: spec.name,
    fullName,
    arity: spec.arity,
    flags: spec.keys === undefined || Array.isArray(spec.keys) ? flags : [...flags, "movablekeys"],
    keys: spec.keys,
    category: spec.category,
    isWrite: flags.includes("write"),
    isRead: flags.includes("readonly"),
    noScript: flags.includes("noscript"),
    noAuth: flags.includes("no_auth"),
    noMulti: flags.includes("no_multi"),
    mayReplicate: flags.includes("write") || MAY_REPLICATE.has(fullName),
    run: (spec as unknown as Pick<Command, "run">).run,
    subcommands: undefined,
  };
}

function refuse(): never {
  throw new Error("a container is not run itself");
}
