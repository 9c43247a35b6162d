/** OBJECT: how a value is kept. Encodings are those which Redis would have chosen. */
import type { Entry } from "../engine/database.ts";
import { fail } from "../base/errors.ts";
import { parseInt64 } from "../base/numbers.ts";
import { NIL, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { Collection } from "../values/value.ts";
import { type Command, container, help, subcommand } from "../engine/command.ts";

/** Redis keeps strings up to this length with their header in one allocation. */
const EMBEDDED_LENGTH = 44;

export const objectCommands: readonly Command[] = [
  container("object", [
    subcommand({
      name: "encoding",
      arity: 3,
      flags: "readonly",
      keys: [2, 2, 1],
      category: "keyspace",
      run: (ctx, [, , key]) => inspect(ctx, key, (entry) => encodingOf(ctx, entry)),
    }),
    subcommand({
      name: "refcount",
      arity: 3,
      flags: "readonly",
      keys: [2, 2, 1],
      category: "keyspace",
      run: (ctx, [, , key]) => inspect(ctx, key, () => 1),
    }),
    subcommand({
      name: "idletime",
      arity: 3,
      flags: "readonly",
      keys: [2, 2, 1],
      category: "keyspace",
      run: (ctx, [, , key]) => inspect(ctx, key, (entry) => Math.floor((ctx.nowMs - entry.usedAtMs) / 1000)),
    }),
    subcommand({
      name: "freq",
      arity: 3,
      flags: "readonly",
      keys: [2, 2, 1],
      category: "keyspace",
      run: (ctx, [, , key]) =>
        inspect(ctx, key, () =>
          fail(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
          ),
        ),
    }),
    help(
      "object",
      [
        "ENCODING <key>",
        "    Return the kind of internal representation used in order to store the value",
        "    associated with a <key>.",
        "FREQ <key>",
        "    Return the access frequency index of the <key>. The returned integer is",
        "    proportional to the logarithm of the recent access frequency of the key.",
        "IDLETIME <key>",
        "    Return the idle time of the <key>, that is the approximated number of",
        "    seconds elapsed since the last access to the key.",
        "REFCOUNT <key>",
        "    Return the number of references of the value associated with the specified",
        "    <key>.",
      ],
      "keyspace",
    ),
  ]),
];

function inspect(ctx: Session, key: string, show: (entry: Entry) => Reply): Reply {
  const entry = ctx.db.find(key);
  return entry === undefined ? NIL : show(entry);
}

export function encodingOf(ctx: Session, { value }: Entry): string {
  if (value instanceof Collection) return value.encoding(ctx.engine.config);
  if (typeof value !== "string") return "raw";
  if (value.length <= 20 && parseInt64(value) !== undefined) return "int";
  return value.length <= EMBEDDED_LENGTH ? "embstr" : "raw";
}
