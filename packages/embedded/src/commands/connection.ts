/** A connection's own state: who it is, which protocol it speaks, which database it uses. */
import { fail, SYNTAX, wrongArity, shown } from "../base/errors.ts";
import { int32Argument, integerArgument } from "../base/numbers.ts";
import { MapReply, OK, type Reply, Status } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { VERSION } from "../base/version.ts";
import { setName } from "./client.ts";
import { type Command, command } from "../engine/command.ts";

const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";
const PONG = new Status("PONG");

export const connectionCommands: readonly Command[] = [
  command({
    name: "ping",
    arity: -1,
    flags: "fast",
    category: "connection",
    run: (ctx, args) => {
      if (args.length > 2) fail(wrongArity("ping"));
      if (ctx.isSubscriber && ctx.resp === 2) return ["pong", args[1] ?? ""];
      return args[1] ?? PONG;
    },
  }),
  command({
    name: "echo",
    arity: 2,
    flags: "loading stale fast",
    category: "connection",
    run: (_ctx, [, text]) => text,
  }),
  command({
    name: "select",
    arity: 2,
    flags: "loading stale fast",
    category: "connection",
    run: (ctx, [, index]) => {
      ctx.db = ctx.engine.databases[int32Argument(index)] ?? fail("ERR DB index is out of range");
      return OK;
    },
  }),
  command({
    name: "auth",
    arity: -2,
    flags: "noscript loading stale fast no_auth allow_busy",
    category: "connection",
    run: (ctx, args) => authenticate(ctx, args),
  }),
  command({
    name: "hello",
    arity: -1,
    flags: "noscript loading stale fast no_auth allow_busy",
    category: "connection",
    run: (ctx, args) => hello(ctx, args),
  }),
  command({
    name: "quit",
    arity: -1,
    flags: "noscript loading stale fast no_auth allow_busy",
    category: "connection",
    run: (ctx) => {
      ctx.closeAfterReply = true;
      return OK;
    },
  }),
  command({
    name: "reset",
    arity: 1,
    flags: "noscript loading stale fast no_auth allow_busy",
    category: "connection",
    run: (ctx) => {
      ctx.reset();
      return new Status("RESET");
    },
  }),
];

function authenticate(ctx: Session, args: readonly string[]): Reply {
  if (args.length > 3) fail(SYNTAX);
  if (args.length === 2 && ctx.engine.users.default.open) {
    fail(
      "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    );
  }
  const [name, password] = args.length === 2 ? ["default", args[1]] : [args[1], args[2]];
  login(ctx, name ?? "", password ?? "");
  return OK;
}

function login(ctx: Session, name: string, password: string): void {
  ctx.user = ctx.engine.users.authenticate(name, password) ?? fail(WRONG_PASSWORD);
  ctx.authenticated = true;
}

function hello(ctx: Session, args: readonly string[]): Reply {
  const version = args[1] === undefined ? ctx.resp : protocolVersion(args[1]);
  for (let i = 2; i < args.length; i += 1) {
    const option = args[i] as string;
    const left = args.length - 1 - i;
    if (option.toUpperCase() === "AUTH" && left >= 2) {
      login(ctx, args[i + 1] as string, args[i + 2] as string);
      i += 2;
    } else if (option.toUpperCase() === "SETNAME" && left >= 1) {
      setName(ctx, args[i + 1] as string);
      i += 1;
    } else fail(`ERR Syntax error in HELLO option '${shown(option)}'`);
  }
  if (!ctx.authenticated) {
    fail(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  }
  ctx.resp = version;
  return new MapReply([
    "server",
    "redis",
    "version",
    VERSION,
    "proto",
    version,
    "id",
    ctx.id,
    "mode",
    ctx.engine.cluster === undefined ? "standalone" : "cluster",
    "role",
    "master",
    "modules",
    [],
  ]);
}

function protocolVersion(text: string): 2 | 3 {
  const version = integerArgument(text, "ERR Protocol version is not an integer or out of range");
  return version === 2 || version === 3 ? version : fail("NOPROTO unsupported protocol version");
}
