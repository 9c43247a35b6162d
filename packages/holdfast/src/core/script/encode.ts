/** Arguments to text that Lua's `tonumber`, `== "1"` and `cjson.decode` read back as the same value. */
import { InvalidArgumentError } from "../../base/errors.ts";

/** Lua numbers are doubles, so an integer is exact up to 2^53, like JavaScript's. */
export function encodeInt(field: string, value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  throw new InvalidArgumentError(field, "a whole number within ±(2^53 - 1)", value);
}

/** The shortest text that reads back as the same double. NaN and infinities are refused: few commands take them. */
export function encodeFloat(field: string, value: number): string {
  if (Number.isFinite(value)) return String(value);
  throw new InvalidArgumentError(field, "a finite number", value);
}

export function encodeBool(value: boolean): string {
  return value ? "1" : "0";
}

/** Stays text in Lua, whose numbers would round it. */
export function encodeBigint(value: bigint): string {
  return value.toString();
}

export function encodeJson(field: string, value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text !== undefined) return text;
  throw new InvalidArgumentError(field, "a value that JSON can hold", value);
}
