/** RFC 7396: what a merge patch makes of a value. Objects are merged in depth, null removes, all else (arrays too) replaces. */

import { InvalidArgumentError, kindGiven } from "../base/errors.ts";

/** What a merge patch of `T` may be: parts of objects, null for what is to go. */
export type RecordMergePatch<T> = {
  readonly [Field in keyof T]?: NonNullable<T[Field]> extends readonly unknown[]
    ? T[Field] | null
    : NonNullable<T[Field]> extends Date | Uint8Array | Map<unknown, unknown> | Set<unknown>
      ? T[Field] | null
      : NonNullable<T[Field]> extends object
        ? RecordMergePatch<NonNullable<T[Field]>> | null
        : T[Field] | null;
};

/** Deeper than any document that is written by hand, and far from the end of the stack. */
const MAX_DEPTH = 100;

/** @throws InvalidArgumentError for a patch that is deeper than 100 objects */
export function mergePatch(target: unknown, patch: unknown, depth = 0): unknown {
  if (!isPlainObject(patch)) return patch;
  if (depth > MAX_DEPTH)
    throw new InvalidArgumentError("patch", `at most ${MAX_DEPTH} objects in each other`, kindGiven(patch));
  // By a Map and fromEntries: a field may be called __proto__.
  const merged = new Map<string, unknown>(isPlainObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value, depth + 1));
  }
  return Object.fromEntries(merged);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
