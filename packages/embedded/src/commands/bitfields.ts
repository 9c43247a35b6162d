/** BITFIELD: a string as an array of integers of any width. */
import { fail, SYNTAX } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { int64Argument, narrow, parseInt64 } from "../base/numbers.ts";
import { NIL, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type FieldType, readField, writeField } from "../structures/bit-fields.ts";
import { byteOf } from "../structures/bits.ts";
import type { Bytes } from "../values/bytes.ts";
import { bitOffsetArgument, byteAt, growBinary, readBinary } from "./bitmaps.ts";
import { type Command, command, is } from "../engine/command.ts";

const INVALID_TYPE = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";

type Overflow = "WRAP" | "SAT" | "FAIL";

interface Operation {
  readonly name: "GET" | "SET" | "INCRBY";
  readonly type: FieldType;
  /** Of its first bit. */
  readonly offset: number;
  /** What to set, or to add. */
  readonly amount: bigint;
  readonly overflow: Overflow;
}

export const bitfieldCommands: readonly Command[] = [
  command({
    name: "bitfield",
    arity: -2,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "bitmap",
    run: (ctx, [, key, ...words]) => {
      const operations = parse(ctx, words);
      return operations.every(isGet) ? readAll(ctx, key, operations) : runAll(ctx, key, operations);
    },
  }),
  command({
    name: "bitfield_ro",
    arity: -2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "bitmap",
    run: (ctx, [, key, ...words]) => {
      const operations = parse(ctx, words);
      if (!operations.every(isGet)) fail("ERR BITFIELD_RO only supports the GET subcommand");
      return readAll(ctx, key, operations);
    },
  }),
];

/** OVERFLOW holds for the operations after it. */
function parse(ctx: Session, words: readonly string[]): Operation[] {
  const operations: Operation[] = [];
  let overflow: Overflow = "WRAP";
  for (let i = 0; i < words.length;) {
    const name = (words[i] as string).toUpperCase();
    const [first, second, third] = words.slice(i + 1, i + 4);
    if (name === "OVERFLOW" && first !== undefined) {
      overflow = overflowArgument(first);
      i += 2;
    } else if (name === "GET" && first !== undefined && second !== undefined) {
      const type = typeArgument(first);
      operations.push({ name, type, offset: bitOffsetArgument(ctx, second, type.bits), amount: 0n, overflow });
      i += 3;
    } else if (
      (name === "SET" || name === "INCRBY") &&
      first !== undefined &&
      second !== undefined &&
      third !== undefined
    ) {
      const type = typeArgument(first);
      const offset = bitOffsetArgument(ctx, second, type.bits);
      operations.push({ name, type, offset, amount: BigInt(int64Argument(third)), overflow });
      i += 4;
    } else {
      fail(SYNTAX);
    }
  }
  return operations;
}

function overflowArgument(text: string): Overflow {
  for (const name of ["WRAP", "SAT", "FAIL"] as const) if (is(text, name)) return name;
  return fail("ERR Invalid OVERFLOW type specified");
}

/** `i1` to `i64`, `u1` to `u63`. */
function typeArgument(text: string): FieldType {
  const sign = text.charAt(0);
  const bits = parseInt64(text.slice(1));
  if ((sign !== "i" && sign !== "u") || typeof bits !== "number") return fail(INVALID_TYPE);
  return bits < 1 || bits > (sign === "i" ? 64 : 63) ? fail(INVALID_TYPE) : { signed: sign === "i", bits };
}

function isGet({ name }: Operation): boolean {
  return name === "GET";
}

function readAll(ctx: Session, key: string, operations: readonly Operation[]): Reply {
  const value = readBinary(ctx, key) ?? "";
  return operations.map(({ offset, type }) => integer(readField((index) => byteAt(value, index), offset, type)));
}

/** The string first gets room for all that will be written, even for what then fails to be. */
function runAll(ctx: Session, key: string, operations: readonly Operation[]): Reply {
  const end = operations.reduce(
    (furthest, operation) =>
      isGet(operation) ? furthest : Math.max(furthest, byteOf(operation.offset + operation.type.bits - 1) + 1),
    0,
  );
  const { value, grown } = growBinary(ctx, key, end);
  let changed = false;
  const replies = operations.map((operation) => {
    const { name, type, offset } = operation;
    const old = readField((index) => value.at(index), offset, type);
    if (name === "GET") return integer(old);
    const written = write(value, operation, old);
    if (written === undefined) return NIL;
    if (grown || written !== old) changed = true;
    return integer(name === "SET" ? old : written);
  });
  if (changed) ctx.db.changed(key, EVENT.string, "setbit");
  return replies;
}

/** The new value, or undefined when it does not fit and must not be written. */
function write(bytes: Bytes, { name, type, offset, amount, overflow }: Operation, old: bigint): bigint | undefined {
  const value = name === "SET" ? fit(amount, 0n, type, overflow) : fit(old, amount, type, overflow);
  if (value !== undefined) writeField(bytes, offset, type.bits, value);
  return value;
}

function fit(value: bigint, increment: bigint, type: FieldType, overflow: Overflow): bigint | undefined {
  const { signed, bits } = type;
  const max = (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
  const min = signed ? -max - 1n : 0n;
  const start = signed ? value : BigInt.asUintN(64, value);
  const excess = isAbove(start, increment, max, type) ? 1 : start + increment < min ? -1 : 0;
  if (excess === 0) return start + increment;
  if (overflow === "FAIL") return undefined;
  if (overflow === "SAT") return excess > 0 ? max : min;
  return signed ? BigInt.asIntN(bits, start + increment) : BigInt.asUintN(bits, start + increment);
}

/** Redis subtracts in 64 bits: a signed value so small that its distance from `max` has more is taken for too large. */
function isAbove(start: bigint, increment: bigint, max: bigint, { signed, bits }: FieldType): boolean {
  if (start + increment > max) return true;
  return signed && bits < 64 && increment > BigInt.asIntN(64, max - start);
}

function integer(value: bigint): Reply {
  return narrow(value) ?? value;
}
