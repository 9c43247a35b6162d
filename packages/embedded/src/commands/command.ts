/** COMMAND: what commands there are, generated from the registry. */
import { fail } from "../base/errors.ts";
import { arityFits } from "../engine/executor.ts";
import { matches } from "../base/glob.ts";
import { MapReply, NIL, type Reply, SetReply, Status } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import {
  type Beginning,
  fixedKeys,
  hasKeys,
  keyFlags,
  type KeySpecification,
  keySpecificationsOf,
  type Reach,
} from "./key-specifications.ts";
import { type Command, container, help, is, keyPlaces, subcommand } from "../engine/command.ts";

const FLAGS = "loading stale";
const CATEGORY = "connection";

export const commandCommands: readonly Command[] = [
  container(
    "command",
    [
      subcommand({
        name: "count",
        arity: 2,
        flags: FLAGS,
        category: CATEGORY,
        run: (ctx) => ctx.engine.commands.all.length,
      }),
      subcommand({
        name: "info",
        arity: -2,
        flags: FLAGS,
        category: CATEGORY,
        run: (ctx, args) => info(ctx, args.slice(2)),
      }),
      subcommand({ name: "docs", arity: -2, flags: FLAGS, category: CATEGORY, run: () => new MapReply([]) }),
      subcommand({ name: "list", arity: -2, flags: FLAGS, category: CATEGORY, run: (ctx, args) => list(ctx, args) }),
      subcommand({
        name: "getkeys",
        arity: -4,
        flags: FLAGS,
        category: CATEGORY,
        run: (ctx, args) => getKeys(ctx, args.slice(2)),
      }),
      subcommand({
        name: "getkeysandflags",
        arity: -4,
        flags: FLAGS,
        category: CATEGORY,
        run: (ctx, args) => getKeysAndFlags(ctx, args.slice(2)),
      }),
      help(
        "command",
        [
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
        ],
        "connection",
      ),
    ],
    {
      name: "command",
      arity: -1,
      flags: FLAGS,
      category: CATEGORY,
      run: (ctx) => ctx.engine.commands.all.map(describe),
    },
  ),
];

function info(ctx: Session, names: readonly string[]): Reply {
  if (names.length === 0) return ctx.engine.commands.all.map(describe);
  return names.map((name) => {
    const [word, sub] = name.split("|");
    const command = ctx.engine.commands.get(word ?? "");
    const found = sub === undefined ? command : command?.subcommands?.get(sub.toLowerCase());
    return found === undefined ? NIL : describe(found);
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
    keySpecificationsOf(command).map(keySpecification),
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

function keySpecification({ flags, beginning, reach }: KeySpecification): Reply {
  return new MapReply([
    "flags",
    new SetReply(flags.map((flag) => new Status(flag))),
    "begin_search",
    new MapReply(beginSearch(beginning)),
    "find_keys",
    new MapReply(findKeys(reach)),
  ]);
}

function beginSearch(beginning: Beginning): Reply[] {
  if (beginning === "unknown") return ["type", "unknown", "spec", new MapReply([])];
  if (typeof beginning === "number") return ["type", "index", "spec", new MapReply(["index", beginning])];
  const [keyword, startFrom] = beginning;
  return ["type", "keyword", "spec", new MapReply(["keyword", keyword, "startfrom", startFrom])];
}

function findKeys(reach: Reach): Reply[] {
  if (reach === "unknown") return ["type", "unknown", "spec", new MapReply([])];
  if (reach === "counted")
    return ["type", "keynum", "spec", new MapReply(["keynumidx", 0, "firstkey", 1, "keystep", 1])];
  const [last, step, limit] = reach;
  return ["type", "range", "spec", new MapReply(["lastkey", last, "keystep", step, "limit", limit])];
}

function list(ctx: Session, args: readonly string[]): Reply {
  const flat = ctx.engine.commands.all.flatMap((command) => [command, ...(command.subcommands?.values() ?? [])]);
  if (args.length === 2) return flat.map(({ fullName }) => fullName);
  const value = args[4];
  if (args.length !== 5 || !is(args[2], "FILTERBY") || value === undefined) return fail("ERR syntax error");
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
  if (!hasKeys(command)) return fail("ERR The command has no key arguments");
  if (!arityFits(command, line)) return fail("ERR Invalid number of arguments specified for command");
  const places = keyPlaces(command, line);
  if (places.length === 0 && !command.flags.includes("no_mandatory_keys"))
    return fail("ERR Invalid arguments specified for command");
  return places.map((place) => line[place] ?? "");
}

function getKeysAndFlags(ctx: Session, line: readonly string[]): Reply {
  const command = find(ctx, line);
  return getKeys(ctx, line).map((key, at) => {
    const flags = keyFlags(command, line, at).map((flag) => new Status(flag));
    return [key, new SetReply(flags)];
  });
}
