/** SET and its relatives: a whole value is written, and often a time to live with it. */
import { fail, SYNTAX, wrongArity } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { NIL, OK, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { deadlineArgument, type TimeUnit } from "./arguments.ts";
import { type Command, command } from "../engine/command.ts";

export const setCommands: readonly Command[] = [
  command({
    name: "set",
    arity: -3,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, args) => set(ctx, args),
  }),
  command({
    name: "setnx",
    arity: 3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, value]) => (ctx.db.has(key) ? 0 : (write(ctx, key, value), 1)),
  }),
  command({
    name: "setex",
    arity: 4,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, ttl, value]) => setWithTtl(ctx, key, value, ttl, "s"),
  }),
  command({
    name: "psetex",
    arity: 4,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, ttl, value]) => setWithTtl(ctx, key, value, ttl, "ms"),
  }),
  command({
    name: "getset",
    arity: 3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, value]) => {
      const old = ctx.db.readString(key) ?? NIL;
      write(ctx, key, value);
      return old;
    },
  }),
  command({
    name: "getdel",
    arity: 2,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key]) => {
      const old = ctx.db.readString(key);
      if (old === undefined) return NIL;
      ctx.db.delete(key);
      ctx.db.changed(key, EVENT.generic, "del");
      return old;
    },
  }),
  command({
    name: "getex",
    arity: -2,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, args) => getAndExpire(ctx, args),
  }),
  command({
    name: "mset",
    arity: -3,
    flags: "write denyoom",
    keys: [1, -1, 2],
    category: "string",
    run: (ctx, args) => {
      if (args.length % 2 === 0) fail(wrongArity("mset"));
      writeAll(ctx, args);
      return OK;
    },
  }),
  command({
    name: "msetnx",
    arity: -3,
    flags: "write denyoom",
    keys: [1, -1, 2],
    category: "string",
    run: (ctx, args) => {
      if (args.length % 2 === 0) fail(wrongArity("msetnx"));
      for (let i = 1; i < args.length; i += 2) if (ctx.db.has(args[i] as string)) return 0;
      writeAll(ctx, args);
      return 1;
    },
  }),
];

interface SetOptions {
  onlyMissing: boolean;
  onlyExisting: boolean;
  get: boolean;
  keepTtl: boolean;
  persist: boolean;
  expiry: { readonly text: string; readonly unit: TimeUnit; readonly absolute: boolean } | undefined;
}

const EXPIRY_OPTIONS: ReadonlyMap<string, readonly [TimeUnit, boolean]> = new Map([
  ["EX", ["s", false]],
  ["PX", ["ms", false]],
  ["EXAT", ["s", true]],
  ["PXAT", ["ms", true]],
]);

/** Options of SET (from the third argument on) and of GETEX (from the second); what excludes each other is a syntax error. */
function parseOptions(args: readonly string[], start: number, of: "set" | "getex"): SetOptions {
  const options: SetOptions = {
    onlyMissing: false,
    onlyExisting: false,
    get: false,
    keepTtl: false,
    persist: false,
    expiry: undefined,
  };
  for (let i = start; i < args.length; i += 1) {
    const name = (args[i] as string).toUpperCase();
    const time = EXPIRY_OPTIONS.get(name);
    if (time !== undefined) {
      const text = args[++i];
      if (text === undefined || options.expiry !== undefined || options.keepTtl || options.persist) fail(SYNTAX);
      options.expiry = { text, unit: time[0], absolute: time[1] };
    } else if (of === "set") setOption(options, name);
    else if (name === "PERSIST" && options.expiry === undefined) options.persist = true;
    else fail(SYNTAX);
  }
  return options;
}

function setOption(options: SetOptions, name: string): void {
  if (name === "NX" && !options.onlyExisting) options.onlyMissing = true;
  else if (name === "XX" && !options.onlyMissing) options.onlyExisting = true;
  else if (name === "GET") options.get = true;
  else if (name === "KEEPTTL" && options.expiry === undefined) options.keepTtl = true;
  else fail(SYNTAX);
}

function set(ctx: Session, args: readonly [string, string, string, ...string[]]): Reply {
  const [, key, value] = args;
  if (args.length === 3) {
    write(ctx, key, value);
    return OK;
  }
  const options = parseOptions(args, 3, "set");
  const { expiry } = options;
  const deadline = expiry === undefined ? Infinity : deadlineArgument(ctx, expiry.text, expiry.unit, expiry.absolute);
  const old = options.get ? (ctx.db.readString(key) ?? NIL) : undefined;
  const exists = ctx.db.has(key);
  if (options.onlyMissing ? exists : options.onlyExisting && !exists) return old ?? NIL;
  const kept = options.keepTtl ? (ctx.db.find(key)?.expiresAtMs ?? Infinity) : Infinity;
  write(ctx, key, value);
  if (kept !== Infinity) setDeadline(ctx, key, kept);
  if (deadline !== Infinity) expireAt(ctx, key, deadline);
  return old ?? OK;
}

function setWithTtl(ctx: Session, key: string, value: string, ttl: string, unit: TimeUnit): Reply {
  const deadline = deadlineArgument(ctx, ttl, unit, false);
  write(ctx, key, value);
  expireAt(ctx, key, deadline);
  return OK;
}

function getAndExpire(ctx: Session, args: readonly [string, string, ...string[]]): Reply {
  const [, key] = args;
  const { expiry, persist } = parseOptions(args, 2, "getex");
  const value = ctx.db.readString(key);
  if (value === undefined) return NIL;
  if (expiry !== undefined) {
    const deadline = deadlineArgument(ctx, expiry.text, expiry.unit, expiry.absolute);
    if (deadline <= ctx.nowMs) {
      ctx.db.delete(key);
      ctx.db.changed(key, EVENT.generic, "del");
    } else {
      setDeadline(ctx, key, deadline);
      ctx.db.changed(key, EVENT.generic, "expire");
    }
  } else if (persist && ctx.db.find(key)?.expiresAtMs !== Infinity) {
    setDeadline(ctx, key, Infinity);
    ctx.db.changed(key, EVENT.generic, "persist");
  }
  return value;
}

function write(ctx: Session, key: string, value: string): void {
  ctx.db.set(key, value);
  ctx.db.changed(key, EVENT.string, "set");
}

function writeAll(ctx: Session, args: readonly string[]): void {
  for (let i = 1; i < args.length; i += 2) write(ctx, args[i] as string, args[i + 1] as string);
}

function setDeadline(ctx: Session, key: string, deadline: number): void {
  const entry = ctx.db.peek(key);
  if (entry !== undefined) ctx.db.setDeadline(entry, deadline);
}

function expireAt(ctx: Session, key: string, deadline: number): void {
  setDeadline(ctx, key, deadline);
  ctx.db.notify(EVENT.generic, "expire", key);
}
