/** BITOP: bitwise operations between strings. Shorter ones, and keys that are not there, are followed by zeros. */
import { fail, SYNTAX } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import type { Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { Bytes } from "../values/bytes.ts";
import { bytesOf, readBinary } from "./bitmaps.ts";
import { type Command, command } from "../engine/command.ts";

type Combine = (result: Uint8Array, source: Uint8Array) => void;

/** Each changes the result, which begins as the first source. */
const OPERATIONS: ReadonlyMap<string, Combine> = new Map<string, Combine>([
  [
    "AND",
    (result, source) => {
      for (let i = 0; i < source.length; i += 1) result[i] = (result[i] as number) & (source[i] as number);
      result.fill(0, source.length);
    },
  ],
  [
    "OR",
    (result, source) => {
      for (let i = 0; i < source.length; i += 1) result[i] = (result[i] as number) | (source[i] as number);
    },
  ],
  [
    "XOR",
    (result, source) => {
      for (let i = 0; i < source.length; i += 1) result[i] = (result[i] as number) ^ (source[i] as number);
    },
  ],
]);

export const bitOperationCommands: readonly Command[] = [
  command({
    name: "bitop",
    arity: -4,
    flags: "write denyoom",
    keys: [2, -1, 1],
    category: "bitmap",
    run: (ctx, [, name, destination, ...keys]) => operate(ctx, name.toUpperCase(), destination, keys),
  }),
];

function operate(ctx: Session, name: string, destination: string, keys: readonly string[]): Reply {
  if (name !== "NOT" && !OPERATIONS.has(name)) fail(SYNTAX);
  if (name === "NOT" && keys.length !== 1) fail("ERR BITOP NOT must be called with a single source key.");
  const [first = new Uint8Array(), ...others] = keys.map((key) => bytesOf(readBinary(ctx, key) ?? ""));
  const value = new Bytes("");
  value.grow(others.reduce((longest, { length }) => Math.max(longest, length), first.length));
  const result = value.view();
  result.set(first);
  const combine = OPERATIONS.get(name);
  if (combine === undefined) invert(result);
  else for (const source of others) combine(result, source);
  store(ctx, destination, value);
  return value.length;
}

function invert(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = ~(bytes[i] as number);
}

function store(ctx: Session, key: string, value: Bytes): void {
  if (value.length > 0) {
    ctx.db.set(key, value);
    ctx.db.changed(key, EVENT.string, "set");
  } else if (ctx.db.delete(key)) {
    ctx.db.changed(key, EVENT.generic, "del");
  }
}
