/** Arguments that several families share. */
import { fail, SYNTAX } from "../base/errors.ts";
import { int64Argument, integerArgument, parseDouble } from "../base/numbers.ts";
import type { Session } from "../engine/session.ts";

const MAX_INT64 = 2 ** 63;

/**
 * A blocking command's timeout in seconds, with fractions; the result in whole milliseconds, 0 for ever. What does not fit into
 * 64 bits is negative for Redis 7.0.
 */
export function timeoutArgument(text: string): number {
  const seconds = parseDouble(text) ?? fail("ERR timeout is not a float or out of range");
  const ms = Math.ceil(seconds * 1000);
  return ms < 0 || ms >= MAX_INT64 ? fail("ERR timeout is negative") : Math.abs(ms);
}

/** A timeout in whole milliseconds, as CLIENT PAUSE and XREAD take it. */
export function millisecondsArgument(text: string): number {
  const ms = integerArgument(text, "ERR timeout is not an integer or out of range");
  return ms < 0 ? fail("ERR timeout is negative") : ms;
}

export type TimeUnit = "s" | "ms";

/** `EX 10`, `PXAT 1700000000000` ...: the deadline in milliseconds since the epoch. */
export function deadlineArgument(ctx: Session, text: string, unit: TimeUnit, absolute: boolean): number {
  const invalid = `ERR invalid expire time in '${ctx.lastCommand}' command`;
  const amount = int64Argument(text);
  if (amount <= 0) fail(invalid);
  const ms = Number(amount) * (unit === "s" ? 1000 : 1) + (absolute ? 0 : ctx.nowMs);
  if (ms < MAX_INT64) return ms;
  const exactMs = BigInt(amount) * (unit === "s" ? 1000n : 1n) + BigInt(absolute ? 0 : ctx.nowMs);
  return BigInt.asIntN(64, exactMs) === exactMs ? ms : fail(invalid);
}

export interface ScanOptions {
  readonly pattern: string | undefined;
  readonly count: number;
  readonly type: string | undefined;
}

const MAX_UINT64 = 2n ** 64n - 1n;

/** Read as C's strtoul: a negative one is a very large one, and nothing at all is 0. */
export function cursorArgument(text: string): number {
  const digits = /^[+-]?(\d*)(?:\0|$)/.exec(text)?.[1] ?? fail("ERR invalid cursor");
  const value = BigInt(digits);
  if (value > MAX_UINT64 || (digits === "" && /^[+-]/.test(text))) fail("ERR invalid cursor");
  return Number(text.startsWith("-") ? BigInt.asUintN(64, -value) : value);
}

/** `MATCH pattern COUNT n TYPE t` of the SCAN family, beginning at `start`. */
export function scanOptions(args: readonly string[], start: number, withType = false): ScanOptions {
  let pattern: string | undefined;
  let type: string | undefined;
  let count = 10;
  for (let i = start; i < args.length; i += 2) {
    const value = args[i + 1] ?? fail(SYNTAX);
    const option = args[i]?.toUpperCase();
    if (option === "MATCH") pattern = value === "*" ? undefined : value;
    else if (option === "COUNT") {
      count = integerArgument(value);
      if (count < 1) fail(SYNTAX);
    } else if (option === "TYPE" && withType) type = value.toLowerCase();
    else fail(SYNTAX);
  }
  return { pattern, count, type };
}
