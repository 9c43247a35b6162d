/** The redis library: redis.call and its family (script_lua.c, 7.0.15). */
import { createHash } from "node:crypto";
import { LuaError } from "../runtime/errors.ts";
import { errorTable, fromHost } from "../reply-from-host.ts";
import { formatExact, toInt32 } from "../runtime/number.ts";
import { toNumber, toText } from "../runtime/operators.ts";
import { cString } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable } from "../runtime/table.ts";
import { type LuaResult, type LuaValue, NOTHING } from "../runtime/value.ts";
import { type Args, type LibraryFunction, libraryFunction } from "./arguments.ts";

export const REDIS_VERSION = "7.0.15";
const REDIS_VERSION_NUMBER = 0x0007000f;

const HIGHEST_LOG_LEVEL = 3;
const ALL_REPLICATION_FLAGS = 3;

/** Library functions and constants by name, in Redis's order, which shows in `pairs`. */
export type Entries = Readonly<Record<string, LibraryFunction | string | number>>;

export function redisLibrary(state: LuaState): LuaTable {
  return addEntries(new LuaTable(), {
    call: (args) => call(state, args, false),
    pcall: (args) => call(state, args, true),
    ...sharedEntries(state),
    setresp: (args) => setResp(state, args),
    sha1hex: (args) => {
      if (args.length !== 1) throw new LuaError(errorTable("wrong number of arguments"));
      return createHash("sha1")
        .update(toText(args[0]) ?? "", "latin1")
        .digest("hex");
    },
    error_reply: ([message, ...more]) => errorReply(message, more),
    status_reply: ([message, ...more]) => statusReply(message, more),
    set_repl: (args) => setReplication(args),
    REPL_NONE: 0,
    REPL_AOF: 1,
    REPL_SLAVE: 2,
    REPL_REPLICA: 2,
    REPL_ALL: 3,
    acl_check_cmd: (args) => aclCheck(state, args),
  });
}

/** What a library of functions has of it already while it is loaded. */
export function sharedEntries(state: LuaState): Entries {
  return {
    log: (args) => log(state, args),
    LOG_DEBUG: 0,
    LOG_VERBOSE: 1,
    LOG_NOTICE: 2,
    LOG_WARNING: 3,
    REDIS_VERSION_NUM: REDIS_VERSION_NUMBER,
    REDIS_VERSION,
  };
}

/** What only EVAL's scripts have of it. */
export const EVAL_ENTRIES: Entries = {
  breakpoint: () => false,
  debug: () => NOTHING,
  replicate_commands: () => true,
};

export function addEntries(table: LuaTable, entries: Entries): LuaTable {
  for (const [name, entry] of Object.entries(entries)) {
    table.set(name, typeof entry === "function" ? libraryFunction(entry) : entry);
  }
  return table;
}

/** A command's error is thrown by redis.call and returned by redis.pcall, as the same table. */
function call(state: LuaState, args: Args, isProtected: boolean): LuaResult {
  const words = commandWords(args);
  if (typeof words === "string") {
    const problem = errorTable(words);
    if (isProtected) return problem;
    throw new LuaError(problem);
  }
  state.ensureStack();
  const reply = state.callHost(words, isProtected);
  const value = fromHost(reply, state.resp);
  const failed = typeof reply === "object" && reply !== null && "type" in reply && reply.type === "error";
  if (failed && !isProtected) throw new LuaError(value);
  return value;
}

/** The arguments as byte strings, or what is wrong with them. */
function commandWords(args: Args): string[] | string {
  if (args.length === 0) return "Please specify at least one argument for this redis lib call";
  const words: string[] = [];
  for (const value of args) {
    if (typeof value === "string") words.push(value);
    else if (typeof value === "number") words.push(formatExact(value));
    else return "Lua redis lib command arguments must be strings or integers";
  }
  return words;
}

function log(state: LuaState, args: Args): LuaResult {
  if (args.length < 2) throw new LuaError(errorTable("redis.log() requires two arguments or more."));
  const number = toNumber(args[0]);
  if (number === undefined) throw new LuaError(errorTable("First argument must be a number (log level)."));
  const level = toInt32(number);
  if (level < 0 || level > HIGHEST_LOG_LEVEL) throw new LuaError(errorTable("Invalid debug level."));
  const texts = args.slice(1).map(toText);
  state.host().log(level, texts.filter((text) => text !== undefined).join(" "));
  return NOTHING;
}

function setResp(state: LuaState, args: Args): LuaResult {
  if (args.length !== 1) throw new LuaError(errorTable("redis.setresp() requires one argument."));
  const version = toInt32(toNumber(args[0]) ?? 0);
  if (version !== 2 && version !== 3) throw new LuaError(errorTable("RESP version must be 2 or 3."));
  state.resp = version;
  state.host().setResp(version);
  return NOTHING;
}

function errorReply(message: LuaValue, more: Args): LuaTable {
  if (typeof message !== "string" || more.length > 0) return errorTable("wrong number or type of arguments");
  const text = cString(message);
  return errorTable(text.startsWith("-") ? text : `-${text}`);
}

function statusReply(message: LuaValue, more: Args): LuaTable {
  if (typeof message !== "string" || more.length > 0) return errorTable("wrong number or type of arguments");
  const table = new LuaTable();
  table.set("ok", message);
  return table;
}

function setReplication(args: Args): LuaResult {
  if (args.length !== 1) throw new LuaError(errorTable("redis.set_repl() requires two arguments."));
  const flags = toInt32(toNumber(args[0]) ?? 0);
  if ((flags & ~ALL_REPLICATION_FLAGS) === 0) return NOTHING;
  const message = "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
  throw new LuaError(errorTable(message));
}

function aclCheck(state: LuaState, args: Args): boolean {
  const words = commandWords(args);
  if (typeof words === "string") throw new LuaError(errorTable(words));
  const allowed = state.host().aclCheck(words);
  if (allowed === undefined) throw new LuaError(errorTable("Invalid command passed to redis.acl_check_cmd()"));
  return allowed;
}
