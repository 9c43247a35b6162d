/** Hashes: in steps, and at random. */
import { fail, SYNTAX } from "../base/errors.ts";
import { matches } from "../base/glob.ts";
import { NIL, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Field, HashValue } from "../values/hash.ts";
import { cursorArgument, scanOptions } from "./arguments.ts";
import { independentDraws, MAX_PAIRS, randomCountArgument } from "./random-count.ts";
import { type Command, command, is } from "../engine/command.ts";

export const hashWalkCommands: readonly Command[] = [
  command({
    name: "hscan",
    arity: -3,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, args) => scan(ctx, args),
  }),
  command({
    name: "hrandfield",
    arity: -2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, args) => {
      const [, key, count] = args;
      if (count === undefined) return ctx.db.readAs(key, HashValue)?.random(ctx.engine.random).key ?? NIL;
      return randomFields(ctx, key, count, args.slice(3));
    },
  }),
];

function scan(ctx: Session, args: readonly [string, string, string, ...string[]]): Reply {
  const start = cursorArgument(args[2]);
  const hash = ctx.db.readAs(args[1], HashValue);
  if (hash === undefined) return ["0", []];
  const { pattern, count } = scanOptions(args, 3);
  const { cursor, nodes } = hash.scan(start, count, ctx.engine.config);
  const shown = pattern === undefined ? nodes : nodes.filter(({ key }) => matches(pattern, key));
  return [String(cursor), shown.flatMap(({ key, value }) => [key, value])];
}

/** A negative count draws so many times, so that a field may come twice. */
function randomFields(ctx: Session, key: string, countText: string, options: readonly string[]): Reply {
  const count = randomCountArgument(countText);
  const withValues = is(options[0], "WITHVALUES");
  if (options.length > (withValues ? 1 : 0)) fail(SYNTAX);
  if (withValues && (count > MAX_PAIRS || count < -MAX_PAIRS)) fail("ERR value is out of range");
  const hash = ctx.db.readAs(key, HashValue);
  if (hash === undefined) return [];
  const { random } = ctx.engine;
  const fields = count >= 0 ? hash.sample(Number(count), random) : independentDraws(count, () => hash.random(random));
  return withValues ? pairs(fields, ctx.resp) : fields.map((field) => field.key);
}

/** RESP3 has an array for each pair. */
function pairs(fields: readonly Field[], resp: 2 | 3): Reply {
  if (resp === 2) return fields.flatMap(({ key, value }) => [key, value]);
  return fields.map(({ key, value }) => [key, value]);
}
