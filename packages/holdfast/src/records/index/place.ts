/** Cursors of pages: the field in whose order they come, and the last entry that was looked at. */
import { InvalidArgumentError } from "../../base/errors.ts";

export interface Place {
  readonly field: string;
  readonly key: Buffer;
  readonly id: string;
}

export function cursorOf(field: string, { key, id }: Omit<Place, "field">): string {
  return Buffer.from(JSON.stringify([1, field, key.toString("base64url"), id])).toString("base64url");
}

export function placeFrom(cursor: string): Place {
  try {
    const [version, field, key, id] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
    if (version === 1 && typeof field === "string" && typeof key === "string" && typeof id === "string" && id !== "")
      return { field, key: Buffer.from(key, "base64url"), id };
  } catch {
    // As what is none.
  }
  throw badCursor(cursor);
}

export function badCursor(cursor: unknown): InvalidArgumentError {
  return new InvalidArgumentError("cursor", "a cursor that `find` returned for the same `where` and `sort`", cursor);
}
