/**
 * Lua 5.1's hash functions (ltable.c, lstring.c). They are observable: the order of `pairs`, of cjson's object members
 * and of a returned map is the order of the hash nodes, so a faithful engine places its nodes by the same numbers.
 */
import { addressOf, LightUserdata, type LuaValue, NULL_POINTER } from "./value.ts";

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** Where a key belongs in a node vector of `size` (a power of two) nodes. */
export function mainPosition(key: LuaValue, size: number): number {
  switch (typeof key) {
    case "string":
      return hashString(key) & (size - 1);
    case "number":
      return hashNumber(key) % ((size - 1) | 1);
    case "boolean":
      return (key ? 1 : 0) & (size - 1);
    default:
      return hashPointer(key) % ((size - 1) | 1);
  }
}

function hashString(text: string): number {
  let hash = text.length;
  for (let at = text.length - 1; at >= 0; at -= 1) hash ^= (hash << 5) + (hash >>> 2) + text.charCodeAt(at);
  return hash >>> 0;
}

function hashNumber(number: number): number {
  if (number === 0) return 0;
  double[0] = number;
  return (words[0]! + words[1]!) >>> 0;
}

function hashPointer(value: LuaValue): number {
  if (value === NULL_POINTER || typeof value !== "object") return typeof value === "function" ? addressOf(value) : 0;
  return value instanceof LightUserdata ? 0 : addressOf(value) >>> 0;
}
