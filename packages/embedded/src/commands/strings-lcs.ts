/** LCS: the longest common subsequence of two strings, by dynamic programming in O(n * m) time and space. */
import { fail, SYNTAX } from "../base/errors.ts";
import { integerArgument } from "../base/numbers.ts";
import { MapReply, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { Collection } from "../values/value.ts";
import { type Command, command } from "../engine/command.ts";

export const lcsCommands: readonly Command[] = [
  command({
    name: "lcs",
    arity: -3,
    flags: "readonly",
    keys: [1, 2, 1],
    category: "string",
    run: (ctx, args) => {
      const [, first, second] = args;
      const a = operand(ctx, first);
      const b = operand(ctx, second);
      const options = parseOptions(args);
      refuseTable(ctx, a.length, b.length);
      return answer(a, b, options);
    },
  }),
];

interface LcsOptions {
  length: boolean;
  indexes: boolean;
  minLength: number;
  withLength: boolean;
}

function parseOptions(args: readonly string[]): LcsOptions {
  const options: LcsOptions = { length: false, indexes: false, minLength: 0, withLength: false };
  for (let i = 3; i < args.length; i += 1) {
    const name = args[i]?.toUpperCase();
    if (name === "IDX") options.indexes = true;
    else if (name === "LEN") options.length = true;
    else if (name === "WITHMATCHLEN") options.withLength = true;
    else if (name === "MINMATCHLEN" && i + 1 < args.length) options.minLength = integerArgument(args[++i] as string);
    else fail(SYNTAX);
  }
  if (options.indexes && options.length) {
    fail("ERR If you want both the length and indexes, please just use IDX.");
  }
  return options;
}

function operand(ctx: Session, key: string): string {
  const value = ctx.db.read(key)?.value ?? "";
  if (value instanceof Collection) return fail("ERR The specified keys must contain string values");
  return value.toString();
}

interface Match {
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
}

function answer(a: string, b: string, options: LcsOptions): Reply {
  const table = lengths(a, b);
  const { text, matches } = trace(a, b, table);
  if (options.length) return text.length;
  if (!options.indexes) return text;
  const shown = matches.filter(({ a: [from, to] }) => to - from + 1 >= options.minLength);
  const items = shown.map(({ a, b }) => (options.withLength ? [a, b, a[1] - a[0] + 1] : [a, b]));
  return new MapReply(["matches", items, "len", text.length]);
}

/** Four bytes for each pair of places. */
function refuseTable(ctx: Session, a: number, b: number): void {
  if ((a + 1) * (b + 1) * 4 <= ctx.engine.config.number("proto-max-bulk-len")) return;
  fail("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
}

/** Lengths of the LCS of each two prefixes, row by row. */
function lengths(a: string, b: string): Uint32Array {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i += 1) {
    const code = a.charCodeAt(i - 1);
    for (let j = 1; j <= b.length; j += 1) {
      const above = table[(i - 1) * width + j] as number;
      const left = table[i * width + j - 1] as number;
      const both = table[(i - 1) * width + j - 1] as number;
      table[i * width + j] = code === b.charCodeAt(j - 1) ? both + 1 : Math.max(above, left);
    }
  }
  return table;
}

/** Back from the end: the subsequence, and the runs of characters that match in both, last first. */
function trace(a: string, b: string, table: Uint32Array): { text: string; matches: Match[] } {
  const width = b.length + 1;
  const chars: string[] = [];
  const matches: Match[] = [];
  let run: Match | undefined;
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a.charCodeAt(i - 1) === b.charCodeAt(j - 1)) {
      i -= 1;
      j -= 1;
      chars.push(a.charAt(i));
      if (run !== undefined && run.a[0] === i + 1 && run.b[0] === j + 1) {
        run = { a: [i, run.a[1]], b: [j, run.b[1]] };
      } else {
        if (run !== undefined) matches.push(run);
        run = { a: [i, i], b: [j, j] };
      }
    } else if ((table[(i - 1) * width + j] as number) > (table[i * width + j - 1] as number)) {
      i -= 1;
    } else {
      j -= 1;
    }
  }
  if (run !== undefined) matches.push(run);
  return { text: chars.toReversed().join(""), matches };
}
