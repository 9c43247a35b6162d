/** Adding to a number of a record, by the rules that `increment.lua` has too. */
import { HoldfastError } from "../base/errors.ts";
import type { Id } from "../core/keyspace/keyspace.ts";

/** @param value undefined for a field that is not there, which counts as 0 @throws HoldfastError `WRONG_TYPE` or `UNSUPPORTED` */
export function sumOf(id: Id, field: string, value: unknown, by: number): number {
  const before = value === undefined ? 0 : value;
  if (typeof before !== "number" || !Number.isFinite(before)) throw notANumber(id, field);
  const sum = before + by;
  const rounds = Number.isSafeInteger(before) && Number.isSafeInteger(by) && !Number.isSafeInteger(sum);
  if (rounds || !Number.isFinite(sum)) throw outOfRange(id, field);
  return sum;
}

/** The record with the sum in that field. @throws as `sumOf` */
export function withSum<T extends object>(id: Id, value: T, field: keyof T & string, by: number): T {
  // Own fields only: every object has a `constructor`.
  const before = Object.hasOwn(value, field) ? value[field] : undefined;
  return { ...value, [field]: sumOf(id, field, before, by) };
}

export function notANumber(id: Id, field: string): HoldfastError {
  return failure("WRONG_TYPE", id, `field ${JSON.stringify(field)} holds no number`);
}

export function outOfRange(id: Id, field: string): HoldfastError {
  const what = `the sum in field ${JSON.stringify(field)} is beyond what a number holds`;
  return failure("UNSUPPORTED", id, `${what} (whole numbers: ±(2^53 - 1)); nothing was changed`);
}

function failure(code: "WRONG_TYPE" | "UNSUPPORTED", id: Id, what: string): HoldfastError {
  const op = "records.increment";
  return new HoldfastError(code, `${op} ${JSON.stringify(id)}: ${what}`, { op, key: String(id) });
}
