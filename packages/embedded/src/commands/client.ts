/** CLIENT: a client's own name and number, and a look at the others. CLIENT TRACKING is in `client-tracking.ts`. */
import { UNBLOCKED } from "../engine/blocking.ts";
import { fail, SYNTAX } from "../base/errors.ts";
import { int64Argument } from "../base/numbers.ts";
import { NIL, NO_REPLY, OK, type Reply, Verbatim } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { millisecondsArgument } from "./arguments.ts";
import { killClients } from "./client-kill.ts";
import { describeClient, ofType } from "./client-list.ts";
import { trackingCommands } from "./client-tracking.ts";
import { type Command, container, help, is, subcommand } from "../engine/command.ts";

const FLAGS = "noscript loading stale";
const ADMIN = "admin noscript loading stale";

export const clientCommands: readonly Command[] = [
  container("client", [
    subcommand({ name: "id", arity: 2, flags: FLAGS, category: "connection", run: (ctx) => ctx.id }),
    subcommand({
      name: "info",
      arity: 2,
      flags: FLAGS,
      category: "connection",
      run: (ctx) => new Verbatim("txt", `${describeClient(ctx)}\n`),
    }),
    subcommand({ name: "list", arity: -2, flags: ADMIN, category: "connection", run: (ctx, args) => list(ctx, args) }),
    subcommand({
      name: "getname",
      arity: 2,
      flags: FLAGS,
      category: "connection",
      run: (ctx) => (ctx.name === "" ? NIL : ctx.name),
    }),
    subcommand({
      name: "setname",
      arity: 3,
      flags: FLAGS,
      category: "connection",
      run: (ctx, [, , name]) => {
        setName(ctx, name);
        return OK;
      },
    }),
    subcommand({
      name: "kill",
      arity: -3,
      flags: ADMIN,
      category: "connection",
      run: (ctx, args) => killClients(ctx, args),
    }),
    subcommand({
      name: "pause",
      arity: -3,
      flags: ADMIN,
      category: "connection",
      run: (ctx, args) => pause(ctx, args),
    }),
    subcommand({
      name: "unpause",
      arity: 2,
      flags: ADMIN,
      category: "connection",
      run: (ctx) => {
        ctx.engine.pause.end();
        return OK;
      },
    }),
    subcommand({
      name: "unblock",
      arity: -3,
      flags: ADMIN,
      category: "connection",
      run: (ctx, args) => unblock(ctx, args),
    }),
    subcommand({
      name: "reply",
      arity: 3,
      flags: FLAGS,
      category: "connection",
      run: (ctx, [, , mode]) => setReplies(ctx, mode),
    }),
    subcommand({
      name: "no-evict",
      arity: 3,
      flags: ADMIN,
      category: "connection",
      run: (ctx, [, , mode]) => {
        if (!is(mode, "ON") && !is(mode, "OFF")) fail(SYNTAX);
        ctx.noEvict = is(mode, "ON");
        return OK;
      },
    }),
    ...trackingCommands,
    help(
      "client",
      [
        "CACHING (YES|NO)",
        "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
        "GETREDIR",
        "    Return the client ID we are redirecting to when tracking is enabled.",
        "GETNAME",
        "    Return the name of the current connection.",
        "ID",
        "    Return the ID of the current connection.",
        "INFO",
        "    Return information about the current client connection.",
        "KILL <ip:port>",
        "    Kill connection made from <ip:port>.",
        "KILL <option> <value> [<option> <value> [...]]",
        "    Kill connections. Options are:",
        "    * ADDR (<ip:port>|<unixsocket>:0)",
        "      Kill connections made from the specified address",
        "    * LADDR (<ip:port>|<unixsocket>:0)",
        "      Kill connections made to specified local address",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "      Kill connections by type.",
        "    * USER <username>",
        "      Kill connections authenticated by <username>.",
        "    * SKIPME (YES|NO)",
        "      Skip killing current connection (default: yes).",
        "LIST [options ...]",
        "    Return information about client connections. Options:",
        "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
        "      Return clients of specified type.",
        "UNPAUSE",
        "    Stop the current client pause, resuming traffic.",
        "PAUSE <timeout> [WRITE|ALL]",
        "    Suspend all, or just write, clients for <timeout> milliseconds.",
        "REPLY (ON|OFF|SKIP)",
        "    Control the replies sent to the current connection.",
        "SETNAME <name>",
        "    Assign the name <name> to the current connection.",
        "UNBLOCK <clientid> [TIMEOUT|ERROR]",
        "    Unblock the specified blocked client.",
        "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
        "         [OPTIN] [OPTOUT] [NOLOOP]",
        "    Control server assisted client side caching.",
        "TRACKINGINFO",
        "    Report tracking status for the current connection.",
        "NO-EVICT (ON|OFF)",
        "    Protect current client connection from eviction.",
      ],
      "connection",
    ),
  ]),
];

/** Printable ASCII without spaces; empty takes the name away. */
export function setName(ctx: Session, name: string): void {
  if (!/^[!-~]*$/.test(name)) fail("ERR Client names cannot contain spaces, newlines or special characters.");
  ctx.name = name;
}

function list(ctx: Session, args: readonly string[]): Reply {
  let shown = [...ctx.engine.sessions.values()];
  if (args.length === 4 && is(args[2], "TYPE")) {
    const type = args[3] as string;
    shown = shown.filter((session) => ofType(session, type));
  } else if (args.length > 3 && is(args[2], "ID")) {
    const ids = args.slice(3).map((text) => Number(int64Argument(text, "ERR Invalid client ID")));
    shown = ids.flatMap((id) => ctx.engine.sessions.get(id) ?? []);
  } else if (args.length !== 2) fail(SYNTAX);
  return new Verbatim("txt", shown.map((session) => `${describeClient(session)}\n`).join(""));
}

function pause(ctx: Session, args: readonly string[]): Reply {
  const mode = args[3];
  if (args.length > 4) fail(SYNTAX);
  if (mode !== undefined && !is(mode, "WRITE") && !is(mode, "ALL")) fail("ERR CLIENT PAUSE mode must be WRITE or ALL");
  const ms = millisecondsArgument(args[2] as string);
  ctx.engine.pause.start(ctx.nowMs + ms, is(mode, "WRITE") ? "write" : "all");
  return OK;
}

function unblock(ctx: Session, args: readonly string[]): Reply {
  const reason = args[3];
  if (args.length > 4) fail("ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.");
  if (reason !== undefined && !is(reason, "TIMEOUT") && !is(reason, "ERROR")) {
    fail("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  const waiter = ctx.engine.sessions.get(Number(int64Argument(args[2] as string)))?.waiter;
  if (waiter === undefined) return 0;
  ctx.engine.blocked.release(waiter, is(reason, "ERROR") ? UNBLOCKED : waiter.request.timeoutReply);
  return 1;
}

function setReplies(ctx: Session, mode: string): Reply {
  if (is(mode, "ON")) {
    ctx.replies = "on";
    return OK;
  }
  if (is(mode, "OFF")) ctx.replies = "off";
  else if (!is(mode, "SKIP")) fail(SYNTAX);
  else if (ctx.replies !== "off") ctx.skipsNext = true;
  return NO_REPLY;
}
