/** CLIENT KILL: by address in the old form, by filters in the new one. */
import { fail, SYNTAX, shown } from "../base/errors.ts";
import { rangeArgument } from "../base/numbers.ts";
import { OK, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { ofType } from "./client-list.ts";
import { is } from "../engine/command.ts";

type Filter = (session: Session) => boolean;

export function killClients(ctx: Session, args: readonly string[]): Reply {
  if (args.length === 3) {
    const killed = kill(ctx, [(session) => session.outlet.address === args[2]]);
    return killed === 0 ? fail("ERR No such client") : OK;
  }
  const filters: Filter[] = [];
  let skipMe = true;
  for (let i = 2; i < args.length; i += 2) {
    const value = args[i + 1] ?? fail(SYNTAX);
    if (is(args[i], "SKIPME")) {
      if (!is(value, "YES") && !is(value, "NO")) fail(SYNTAX);
      skipMe = is(value, "YES");
    } else filters.push(filter(ctx, args[i] as string, value));
  }
  if (skipMe) filters.push((session) => session !== ctx);
  return kill(ctx, filters);
}

function filter(ctx: Session, name: string, value: string): Filter {
  switch (name.toUpperCase()) {
    case "ID": {
      const id = rangeArgument(value, 1, Number.MAX_SAFE_INTEGER, "ERR client-id should be greater than 0");
      return (session) => session.id === id;
    }
    case "TYPE":
      ofType(ctx, value);
      return (session) => ofType(session, value);
    case "ADDR":
      return (session) => session.outlet.address === value;
    case "LADDR":
      return (session) => session.outlet.localAddress === value;
    case "USER":
      if (ctx.engine.users.get(value) === undefined) fail(`ERR No such user '${shown(value)}'`);
      return (session) => session.user.name === value;
    default:
      return fail(SYNTAX);
  }
}

/** A client that kills itself is still answered. */
function kill(ctx: Session, filters: readonly Filter[]): number {
  const victims = [...ctx.engine.sessions.values()].filter((session) => filters.every((matches) => matches(session)));
  for (const victim of victims) {
    if (victim === ctx) ctx.closeAfterReply = true;
    else {
      victim.close();
      victim.outlet.close();
    }
  }
  return victims.length;
}
