/** COMMAND: what commands there are, generated from the registry. */
import { fail } from "../errors.ts";
import { arityFits } from "../executor.ts";
import { matches } from "../glob.ts";
import { MapReply, NIL_ARRAY, type Reply, SetReply, Status } from "../reply.ts";
import type { Session } from "../session.ts";
import { type Command, container, help, is, keyPlaces, subcommand } from "./registry.ts";

const FLAGS = "loading stale";

export const commandCommands: readonly Command[] = [
  container(
    "command",
    [
      subcommand({ name: "count", arity: 2, flags: FLAGS, run: (ctx) => ctx.engine.commands.all.length }),
      subcommand({ name: "info", arity: -2, flags: FLAGS, run: (ctx, args) => info(ctx, args.slice(2)) }),
      subcommand({ name: "docs", arity: -2, flags: FLAGS, run: () => new MapReply([]) }),
      subcommand({ name: "list", arity: -2, flags: FLAGS, run: (ctx, args) => list(ctx, args) }),
      subcommand({ name: "getkeys", arity: -4, flags: FLAGS, run: (ctx, args) => getKeys(ctx, args.slice(2)) }),
      subcommand({
        name: "getkeysandflags",
        arity: -4,
        flags: FLAGS,
        run: (ctx, args) =>
          getKeys(ctx, args.slice(2)).map((key) => [key, new SetReply(keyFlags(find(ctx, args.slice(2))))]),
      }),
      help("command", [
        "(no subcommand)",
        "    Return details about all Redis commands.",
        "COUNT",
        "    Return the total number of commands in this Redis server.",
        "LIST",
        "    Return a list of all commands in this Redis server.",
        "INFO [<command-name> ...]",
        "    Return details about multiple Redis commands.",
        "    If no command names are given, documentation details for all",
        "    commands are returned.",
        "DOCS [<command-name> ...]",
        "    Return documentation details about multiple Redis commands.",
        "    If no command names are given, documentation details for all",
        "    commands are returned.",
        "GETKEYS <full-command>",
        "    Return the keys from a full Redis command.",
        "GETKEYSANDFLAGS <full-command>",
        "    Return the keys and the access flags from a full Redis command.",
      ]),
    ],
    { name: "command", arity: -1, flags: FLAGS, run: (ctx) => ctx.engine.commands.all.map(describe) },
  ),
];

function info(ctx: Session, names: readonly string[]): Reply {
  if (names.length === 0) return ctx.engine.commands.all.map(describe);
  return names.map((name) => {
    const [word, sub] = name.split("|");
    const found = ctx.engine.commands.find(sub === undefined ? [word ?? ""] : [word ?? "", sub]);
    return found === undefined ? NIL_ARRAY : describe(found);
  });
}

function describe(command: Command): Reply {
  const [first, last, step] = fixedKeys(command);
  return [
    command.fullName,
    command.arity,
    new SetReply(command.flags.map((flag) => new Status(flag))),
    first,
    last,
    step,
    new SetReply(categories(command).map((category) => new Status(`@${category}`))),
    [],
    keySpecifications(command),
    command.subcommands === undefined ? [] : [...command.subcommands.values()].map(describe),
  ];
}

/** Redis derives most of a command's ACL categories from its flags. */
function categories(command: Command): string[] {
  const has = (flag: string): boolean => command.flags.includes(flag);
  const found = command.category?.split(" ") ?? [];
  if (command.isWrite) found.push("write");
  if (command.isRead && command.category !== "scripting") found.push("read");
  if (has("admin")) found.push("admin", "dangerous");
  if (has("pubsub")) found.push("pubsub");
  found.push(has("fast") ? "fast" : "slow");
  if (has("blocking")) found.push("blocking");
  return found;
}

/** First, last and step of the keys whose places do not depend on the arguments; zeros where there are none. */
function fixedKeys({ keys }: Command): readonly [number, number, number] {
  if (keys === undefined || typeof keys === "function") return [0, 0, 0];
  if (!("count" in keys)) return keys;
  const [place = 0] = keys.before;
  return [place, place, place === 0 ? 0 : 1];
}

/** None for keys that only the command itself can find. */
function keySpecifications(command: Command): Reply {
  const [first, last, step] = fixedKeys(command);
  const range: Reply[] = ["lastkey", last < 0 ? last : last - first, "keystep", step, "limit", 0];
  const found = first === 0 ? [] : [keySpecification(command, first, "range", range)];
  if (command.keys === undefined || !("count" in command.keys)) return found;
  const number: Reply[] = ["keynumidx", 0, "firstkey", 1, "keystep", 1];
  return [...found, keySpecification(command, command.keys.count, "keynum", number)];
}

function keySpecification(command: Command, index: number, type: string, spec: readonly Reply[]): Reply {
  return new MapReply([
    "flags",
    new SetReply(keyFlags(command)),
    "begin_search",
    new MapReply(["type", "index", "spec", new MapReply(["index", index])]),
    "find_keys",
    new MapReply(["type", type, "spec", new MapReply(spec)]),
  ]);
}

/** A script that does not say so otherwise may write. */
function keyFlags({ isWrite, isRead, category }: Command): Status[] {
  const writes = isWrite || (category === "scripting" && !isRead);
  return (writes ? ["RW", "access", "update"] : ["RO", "access"]).map((flag) => new Status(flag));
}

function list(ctx: Session, args: readonly string[]): Reply {
  const all = ctx.engine.commands.all;
  if (args.length === 2) return all.map(({ fullName }) => fullName);
  const value = args[4];
  if (args.length !== 5 || !is(args[2], "FILTERBY") || value === undefined) return fail("ERR syntax error");
  const flat = all.flatMap((command) => [command, ...(command.subcommands?.values() ?? [])]);
  if (is(args[3], "PATTERN")) return flat.map((c) => c.fullName).filter((name) => matches(value, name, true));
  if (is(args[3], "ACLCAT"))
    return flat.filter((c) => categories(c).includes(value.toLowerCase())).map((c) => c.fullName);
  return is(args[3], "MODULE") ? [] : fail("ERR syntax error");
}

function find(ctx: Session, line: readonly string[]): Command {
  return ctx.engine.commands.find(line) ?? fail("ERR Invalid command specified");
}

function getKeys(ctx: Session, line: readonly string[]): string[] {
  const command = find(ctx, line);
  if (command.keys === undefined) return fail("ERR The command has no key arguments");
  if (!arityFits(command, line)) return fail("ERR Invalid number of arguments specified for command");
  const places = keyPlaces(command, line);
  if (places.length === 0 && !command.flags.includes("no_mandatory_keys"))
    return fail("ERR Invalid arguments specified for command");
  return places.map((place) => line[place] ?? "");
}
