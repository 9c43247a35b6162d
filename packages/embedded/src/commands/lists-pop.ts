/** Lists: taking elements from an end, at once or as soon as there are some. */
import { fail, SYNTAX, wrongArity } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { rangeArgument } from "../base/numbers.ts";
import { type Blocked, NIL, NIL_ARRAY, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type End, ListValue } from "../values/list.ts";
import { timeoutArgument } from "./arguments.ts";
import { type MultiPop, multiPopArguments } from "./multi-pop.ts";
import { type Args, type Command, command, countedKeys, is } from "../engine/command.ts";

const MAX = 2 ** 63;

export const listPopCommands: readonly Command[] = [
  command({
    name: "lpop",
    arity: -2,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, args) => pop(ctx, args, "left"),
  }),
  command({
    name: "rpop",
    arity: -2,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "list",
    run: (ctx, args) => pop(ctx, args, "right"),
  }),
  command({
    name: "lmpop",
    arity: -4,
    flags: "write",
    keys: countedKeys(1),
    category: "list",
    run: (ctx, args) => popFirst(ctx, multiPopArguments(args, 1, endArgument), severalWithKey) ?? NIL_ARRAY,
  }),
  command({
    name: "blpop",
    arity: -3,
    flags: "write noscript blocking",
    keys: [1, -2, 1],
    category: "list",
    run: (ctx, args) => popOneOrWait(ctx, args, "left"),
  }),
  command({
    name: "brpop",
    arity: -3,
    flags: "write noscript blocking",
    keys: [1, -2, 1],
    category: "list",
    run: (ctx, args) => popOneOrWait(ctx, args, "right"),
  }),
  command({
    name: "blmpop",
    arity: -5,
    flags: "write blocking",
    keys: countedKeys(2),
    category: "list",
    run: (ctx, args) => {
      const request = multiPopArguments(args, 2, endArgument);
      return popOrWait(ctx, request, timeoutArgument(args[1]), severalWithKey);
    },
  }),
];

export function endArgument(text: string): End {
  if (is(text, "LEFT")) return "left";
  return is(text, "RIGHT") ? "right" : fail(SYNTAX);
}

export function popEvent(end: End): string {
  return end === "left" ? "lpop" : "rpop";
}

function pop(ctx: Session, args: Args<-2>, end: End): Reply {
  if (args.length > 3) fail(wrongArity(popEvent(end)));
  const [, key, countText] = args;
  const count =
    countText === undefined
      ? undefined
      : rangeArgument(countText, 0, MAX, "ERR value is out of range, must be positive");
  const list = ctx.db.getAs(key, ListValue);
  if (list === undefined) return count === undefined ? NIL : NIL_ARRAY;
  if (count === 0) return [];
  const popped = count === undefined ? list.pop(end) : list.popSeveral(end, count);
  ctx.db.removed(key, list, EVENT.list, popEvent(end));
  return popped;
}

type Take = (key: string, list: ListValue, request: MultiPop<End>) => Reply;

const oneWithKey: Take = (key, list, { end }) => [key, list.pop(end)];
const severalWithKey: Take = (key, list, { end, count }) => [key, list.popSeveral(end, count)];

/** From the first of the keys that is there. */
function popFirst(ctx: Session, request: MultiPop<End>, take: Take): Reply | undefined {
  for (const key of request.keys) {
    const list = ctx.db.getAs(key, ListValue);
    if (list === undefined) continue;
    const reply = take(key, list, request);
    ctx.db.removed(key, list, EVENT.list, popEvent(request.end));
    return reply;
  }
  return undefined;
}

function popOneOrWait(ctx: Session, args: readonly string[], end: End): Reply | Blocked {
  const timeoutMs = timeoutArgument(args[args.length - 1] ?? "");
  return popOrWait(ctx, { keys: args.slice(1, -1), end, count: 1 }, timeoutMs, oneWithKey);
}

function popOrWait(ctx: Session, request: MultiPop<End>, timeoutMs: number, take: Take): Reply | Blocked {
  const reply = popFirst(ctx, request, take);
  if (reply !== undefined) return reply;
  return ctx.block({
    keys: request.keys,
    timeoutMs,
    timeoutReply: NIL_ARRAY,
    serve(key) {
      const list = ctx.db.find(key)?.value;
      if (!(list instanceof ListValue)) return undefined;
      const served = take(key, list, request);
      // Of the commands that wait for lists, only BLMPOP informs caches of what it takes.
      if (take === severalWithKey) ctx.db.removed(key, list, EVENT.list, popEvent(request.end));
      else ctx.db.taken(key, list, EVENT.list, popEvent(request.end));
      return served;
    },
  });
}
