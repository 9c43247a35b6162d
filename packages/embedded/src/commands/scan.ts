/** SCAN: the keys of a database in steps. An expired key is deleted on the way, as Redis does. */
import type { Entry } from "../engine/database.ts";
import { matches } from "../base/glob.ts";
import type { Session } from "../engine/session.ts";
import { typeOf } from "../values/value.ts";
import { cursorArgument, type ScanOptions, scanOptions } from "./arguments.ts";
import { type Command, command } from "../engine/command.ts";

export const scanCommands: readonly Command[] = [
  command({
    name: "scan",
    arity: -2,
    flags: "readonly",
    category: "keyspace",
    run: (ctx, args) => {
      const start = cursorArgument(args[1]);
      const options = scanOptions(args, 2, true);
      const { cursor, nodes } = ctx.db.scan(start, options.count);
      const shown = nodes.filter((entry) => isShown(ctx, entry, options));
      return [String(cursor), shown.map(({ key }) => key)];
    },
  }),
];

function isShown(ctx: Session, { key, value }: Entry, { pattern, type }: ScanOptions): boolean {
  if (type !== undefined && typeOf(value) !== type) return false;
  return (pattern === undefined || matches(pattern, key)) && ctx.db.has(key);
}
