/** Lists: moving an element from an end of one list to an end of another, or of the same. */
import { EVENT } from "../config/notifications.ts";
import { type Blocked, NIL, NIL_ARRAY, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type End, ListValue } from "../values/list.ts";
import { timeoutArgument } from "./arguments.ts";
import { endArgument, popEvent } from "./lists-pop.ts";
import { type Command, command } from "../engine/command.ts";

interface Move {
  readonly source: string;
  readonly destination: string;
  readonly from: End;
  readonly to: End;
}

export const listMoveCommands: readonly Command[] = [
  command({
    name: "lmove",
    arity: 5,
    flags: "write denyoom",
    keys: [1, 2, 1],
    category: "list",
    run: (ctx, [, source, destination, from, to]) =>
      move(ctx, { source, destination, from: endArgument(from), to: endArgument(to) }),
  }),
  command({
    name: "rpoplpush",
    arity: 3,
    flags: "write denyoom",
    keys: [1, 2, 1],
    category: "list",
    run: (ctx, [, source, destination]) => move(ctx, { source, destination, from: "right", to: "left" }),
  }),
  command({
    name: "blmove",
    arity: 6,
    flags: "write denyoom noscript blocking",
    keys: [1, 2, 1],
    category: "list",
    run: (ctx, [, source, destination, from, to, timeout]) =>
      moveOrWait(ctx, { source, destination, from: endArgument(from), to: endArgument(to) }, timeoutArgument(timeout)),
  }),
  command({
    name: "brpoplpush",
    arity: 4,
    flags: "write denyoom noscript blocking",
    keys: [1, 2, 1],
    category: "list",
    run: (ctx, [, source, destination, timeout]) =>
      moveOrWait(ctx, { source, destination, from: "right", to: "left" }, timeoutArgument(timeout)),
  }),
];

function move(ctx: Session, request: Move): Reply {
  const list = ctx.db.getAs(request.source, ListValue);
  if (list === undefined) return NIL;
  const item = moveItem(ctx, list, request);
  ctx.db.removed(request.source, list, EVENT.list, popEvent(request.from));
  return item;
}

/** Listeners learn of the destination's change only. */
function moveItem(ctx: Session, list: ListValue, { destination, from, to }: Move): string {
  const { db } = ctx;
  let target = db.getAs(destination, ListValue);
  if (target === undefined) db.add(destination, (target = new ListValue()));
  const item = list.pop(from);
  target.push(to, item);
  db.changed(destination, EVENT.list, to === "left" ? "lpush" : "rpush");
  return item;
}

function moveOrWait(ctx: Session, request: Move, timeoutMs: number): Reply | Blocked {
  const reply = move(ctx, request);
  if (reply !== NIL || !ctx.mayBlock) return reply;
  return ctx.block({
    keys: [request.source],
    timeoutMs,
    timeoutReply: NIL_ARRAY,
    serve(key) {
      const list = ctx.db.find(key)?.value;
      if (!(list instanceof ListValue)) return undefined;
      const item = moveItem(ctx, list, request);
      ctx.db.taken(key, list, EVENT.list, popEvent(request.from));
      return item;
    },
  });
}
