/**
 * A call's arguments as the id of its entry: equal arguments have one id, others have another one. The order of an object's fields
 * does not count, what is undefined at the end of the arguments counts as not given, and what cannot be told from others is refused.
 */
import { createHash } from "node:crypto";
import { InvalidArgumentError } from "../../base/errors.ts";
import { MAX_ID_LENGTH } from "../../core/keyspace/keyspace.ts";

/** A longer one would make keys that nobody reads, and that each command carries. */
const MAX_READABLE = 200;
const MAX_DEPTH = 32;
const { isArray } = Array;

/** @throws InvalidArgumentError for a class instance, a function, a symbol, a circle; it names the argument, and nothing of it */
export function keyOfArguments(args: readonly unknown[]): string {
  let { length } = args;
  while (length > 0 && args[length - 1] === undefined) length -= 1;
  return shortened(
    list(
      args.slice(0, length).map((each, at) => [`argument ${at + 1}`, each]),
      0,
    ),
    MAX_READABLE,
  );
}

/** The text itself, or its SHA-256 where it is longer than `max`, by default than an id may be. */
export function shortened(text: string, max: number = MAX_ID_LENGTH): string {
  return text.length <= max ? text : `sha256:${createHash("sha256").update(text).digest("base64url")}`;
}

/** The hash of a value with the text it belongs to: nothing of them is to be read in key names and errors. `path` names the value in a refusal. */
export function hashedKey(text: string, path: string, value: unknown): string {
  return shortened(`${JSON.stringify(text)}${encoded(path, value, 0)}`, 0);
}

function encoded(path: string, value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      return value === null ? "null" : encodedObject(path, value, depth);
    default:
      throw unfaithful(path, value);
  }
}

function encodedObject(path: string, value: object, depth: number): string {
  // A circle ends here as well.
  if (depth === MAX_DEPTH) throw new InvalidArgumentError(path, `at most ${MAX_DEPTH} levels`, value);
  const proto: unknown = Object.getPrototypeOf(value);
  // A hole, or a field beside the items, would be lost.
  if (isArray(value) && Object.keys(value).length === value.length && Object.keys(value).every(isIndex))
    return list(
      value.map((each, at) => [`${path}[${at}]`, each]),
      depth,
    );
  if (proto === Object.prototype || proto === null) return fields(path, value as Record<string, unknown>, depth);
  if (proto === Date.prototype && !Number.isNaN((value as Date).getTime())) return `Date(${(value as Date).getTime()})`;
  if (proto === URL.prototype) return `URL(${(value as URL).href})`;
  if (proto === Uint8Array.prototype || proto === Buffer.prototype)
    return `bytes(${Buffer.from(value as Uint8Array).toString("base64url")})`;
  if (proto === Map.prototype || proto === Set.prototype) {
    const items = [...(value as Set<unknown>)].map((each, at): [string, unknown] => [`${path}[${at}]`, each]);
    return `${proto === Map.prototype ? "Map" : "Set"}${list(items, depth)}`;
  }
  throw unfaithful(path, value);
}

function list(items: readonly (readonly [string, unknown])[], depth: number): string {
  return `[${items.map(([path, each]) => encoded(path, each, depth + 1)).join(",")}]`;
}

function fields(path: string, value: Readonly<Record<string, unknown>>, depth: number): string {
  if (Object.getOwnPropertySymbols(value).length > 0) throw unfaithful(path, value);
  const parts = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${encoded(`${path}.${name}`, value[name], depth + 1)}`);
  return `{${parts.join(",")}}`;
}

function isIndex(name: string, at: number): boolean {
  return name === String(at);
}

function unfaithful(path: string, value: unknown): InvalidArgumentError {
  const expected = "a value that has a key (plain data, Date, Map, Set, URL, bytes), or a key of your own";
  return new InvalidArgumentError(path, expected, value);
}
