import { type Format, textFrame } from "./format.ts";
import { SERIALIZER_ID } from "./header.ts";

export const jsonFormat: Format = {
  id: SERIALIZER_ID.json,
  write: (value) => jsonFrame(JSON.stringify(value)),
  read: parseJson,
};

/** The same bytes; refuses what JSON would change without a word. Writing takes about twice as long. */
export const strictJsonFormat: Format = {
  id: SERIALIZER_ID.json,
  write: (value) => jsonFrame(JSON.stringify(value, refuseLossy)),
  read: parseJson,
};

function parseJson(bytes: Buffer, start: number): unknown {
  return JSON.parse(bytes.toString("utf8", start)) as unknown;
}

/** `JSON.stringify` is typed as always answering with text; for functions and symbols it does not. */
function jsonFrame(text: string | undefined): Buffer {
  if (text === undefined) throw new TypeError("functions, symbols and values whose toJSON is undefined have no JSON");
  return textFrame(text);
}

/** A replacer. `this` holds the value as it was before its `toJSON` was called. */
function refuseLossy(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  const what = lossy(original, Array.isArray(this));
  if (what !== undefined) throw new TypeError(`JSON would change ${what} at ${key === "" ? "the top" : `"${key}"`}`);
  return value;
}

/** What `value` is, if it would come back as something else. A property that is `undefined` only disappears: allowed. */
function lossy(value: unknown, inArray: boolean): string | undefined {
  switch (typeof value) {
    case "number":
      if (Object.is(value, -0)) return "-0";
      return Number.isFinite(value) ? undefined : String(value);
    case "undefined":
      return inArray ? "undefined" : undefined;
    case "bigint":
    case "function":
    case "symbol":
      return `a ${typeof value}`;
    case "object":
      return value === null || Array.isArray(value) || isPlainObject(value) ? undefined : nameOf(value);
    default:
      return undefined;
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && !("toJSON" in value));
}

function nameOf(value: object): string {
  return `a ${value.constructor?.name || "class instance"}`;
}
