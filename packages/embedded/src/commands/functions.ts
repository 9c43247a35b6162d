/** FUNCTION, FCALL and FCALL_RO. */
import { fail } from "../base/errors.ts";
import type { Library, LibraryFunction } from "../engine/scripting/functions.ts";
import { ENGINE_NAME } from "../engine/scripting/metadata.ts";
import { matches } from "../base/glob.ts";
import { integerArgument } from "../base/numbers.ts";
import { MapReply, NIL, OK, type Reply, SetReply, Status } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Command, container, help, is, subcommand } from "../engine/command.ts";
import { scriptCall, scriptCommand } from "./script-call.ts";

const CATEGORY = "scripting";

export const functionCommands: readonly Command[] = [
  caller("fcall", false),
  caller("fcall_ro", true),
  container("function", [
    subcommand({ name: "load", arity: -3, flags: "write denyoom noscript", category: CATEGORY, run: load }),
    subcommand({
      name: "delete",
      arity: 3,
      flags: "write noscript",
      category: CATEGORY,
      run: (ctx, [, , name]) => {
        if (!ctx.engine.functions.delete(name)) fail("ERR Library not found");
        ctx.engine.stats.changes += 1;
        return OK;
      },
    }),
    subcommand({ name: "flush", arity: -2, flags: "write noscript", category: CATEGORY, run: flush }),
    subcommand({ name: "list", arity: -2, flags: "noscript", category: CATEGORY, run: list }),
    subcommand({ name: "stats", arity: 2, flags: "noscript allow_busy", category: CATEGORY, run: stats }),
    subcommand({
      name: "kill",
      arity: 2,
      flags: "noscript allow_busy",
      category: CATEGORY,
      run: (ctx) => {
        ctx.engine.busy.kill("function");
        return OK;
      },
    }),
    subcommand({
      name: "dump",
      arity: 2,
      flags: "noscript",
      category: CATEGORY,
      run: () => fail("ERR FUNCTION DUMP is not supported by the embedded server"),
    }),
    subcommand({
      name: "restore",
      arity: -3,
      flags: "write denyoom noscript",
      category: CATEGORY,
      run: () => fail("ERR FUNCTION RESTORE is not supported by the embedded server"),
    }),
    help(
      "function",
      [
        "LOAD [REPLACE] <FUNCTION CODE>",
        "    Create a new library with the given library name and code.",
        "DELETE <LIBRARY NAME>",
        "    Delete the given library.",
        "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
        "    Return general information on all the libraries:",
        "    * Library name",
        "    * The engine used to run the Library",
        "    * Library description",
        "    * Functions list",
        "    * Library code (if WITHCODE is given)",
        "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
        "STATS",
        "    Return information about the current function running:",
        "    * Function name",
        "    * Command used to run the function",
        "    * Duration in MS that the function is running",
        "    If no function is running, return nil",
        "    In addition, returns a list of available engines.",
        "KILL",
        "    Kill the current running function.",
        "FLUSH [ASYNC|SYNC]",
        "    Delete all the libraries.",
        "    When called without the optional mode argument, the behavior is determined by the",
        "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
        "    * ASYNC: Asynchronously flush the libraries.",
        "    * SYNC: Synchronously flush the libraries.",
        "DUMP",
        "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command",
        "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
        "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
        "    control how to handle existing libraries (default APPEND):",
        "    * FLUSH: delete all existing libraries.",
        "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
        "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
        "      libraries with the new libraries (notice that even on this option there is a chance of failure",
        "      in case of functions name collision with another library).",
      ],
      "scripting",
    ),
  ]),
];

function caller(name: string, readOnly: boolean): Command {
  return scriptCommand(name, readOnly, (ctx, args) => {
    const called = ctx.engine.functions.find(args[1]) ?? fail("ERR Function not found");
    const call = scriptCall(args, integerArgument(args[2], "ERR Bad number of keys provided"), readOnly);
    return ctx.engine.scripts.run(ctx, called, call);
  });
}

function load(ctx: Session, args: readonly string[]): Reply {
  const options = args.slice(2, -1);
  const unknown = options.find((option) => !is(option, "REPLACE"));
  if (unknown !== undefined) fail(`ERR Unknown option given: ${unknown}`);
  const { name } = ctx.engine.functions.load(args.at(-1) ?? "", options.length > 0);
  ctx.engine.stats.changes += 1;
  return name;
}

/** ASYNC and SYNC are the same here. */
function flush(ctx: Session, args: readonly string[]): Reply {
  if (args.length > 3) {
    fail(`ERR unknown subcommand or wrong number of arguments for '${args[1]}'. Try FUNCTION HELP.`);
  }
  const plain = args.length === 2 || is(args[2], "SYNC") || is(args[2], "ASYNC");
  if (!plain) fail("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  ctx.engine.functions.flush();
  ctx.engine.stats.changes += 1;
  return OK;
}

function list(ctx: Session, args: readonly string[]): Reply {
  let [pattern, withCode]: [string | undefined, boolean] = [undefined, false];
  for (let at = 2; at < args.length; at += 1) {
    if (!withCode && is(args[at], "WITHCODE")) withCode = true;
    else if (pattern === undefined && is(args[at], "LIBRARYNAME")) {
      pattern = args[++at] ?? fail("ERR library name argument was not given");
    } else fail(`ERR Unknown argument ${args[at]}`);
  }
  const libraries = ctx.engine.functions.libraries.filter(
    ({ name }) => pattern === undefined || matches(pattern, name, true),
  );
  return libraries.map((library) => describeLibrary(library, withCode));
}

function describeLibrary({ name, source, functions }: Library, withCode: boolean): Reply {
  const described = [...functions.values()].map(describeFunction);
  const entries: Reply[] = ["library_name", name, "engine", ENGINE_NAME, "functions", described];
  return new MapReply(withCode ? [...entries, "library_code", source] : entries);
}

function describeFunction({ name, description, flagNames }: LibraryFunction): Reply {
  const flags = new SetReply(flagNames.map((flag) => new Status(flag)));
  return new MapReply(["name", name, "description", description ?? NIL, "flags", flags]);
}

function stats(ctx: Session): Reply {
  const { libraries } = ctx.engine.functions;
  const count = libraries.reduce((sum, { functions }) => sum + functions.size, 0);
  const counts = new MapReply(["libraries_count", libraries.length, "functions_count", count]);
  const running = ctx.engine.busy.runningFunction();
  const described =
    running === undefined
      ? NIL
      : new MapReply(["name", running.name, "command", running.command, "duration_ms", running.durationMs]);
  return new MapReply(["running_script", described, "engines", new MapReply([ENGINE_NAME, counts])]);
}
