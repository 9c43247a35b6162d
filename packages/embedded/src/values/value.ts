/** What a key can hold. */
import type { Config } from "../config/config.ts";
import { Bytes } from "./bytes.ts";

export type TypeName = "string" | "list" | "set" | "zset" | "hash" | "stream";

/** A list, set, sorted set, hash or stream. Its family's folder defines the class; a key never holds an empty one. */
export abstract class Collection {
  abstract readonly type: Exclude<TypeName, "string">;
  /** Number of elements. */
  abstract get size(): number;
  /** A deep copy, for COPY. */
  abstract copy(): Collection;
  /** As OBJECT ENCODING names it. */
  abstract encoding(config: Config): string;
  /** For SORT; undefined for a type that SORT refuses. */
  elements(): Iterable<string> | undefined {
    return undefined;
  }
}

/** A string is a JavaScript string until a command changes a part of it in place. */
export type Value = string | Bytes | Collection;

/** The class of a collection, to look a key up by. */
export type Kind<C extends Collection> = abstract new (...args: never[]) => C;

export function typeOf(value: Value): TypeName {
  return value instanceof Collection ? value.type : "string";
}

export function copyOf(value: Value): Value {
  if (typeof value === "string") return value;
  return value instanceof Bytes ? new Bytes(value.toString()) : value.copy();
}
