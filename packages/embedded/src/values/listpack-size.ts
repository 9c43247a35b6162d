/**
 * How many bytes Redis would need for an element of a listpack: its encoding and the length that stands behind it for walking
 * backwards. Where Redis changes a representation by size in bytes, the same must happen here at the same element.
 * Source: the listpack format of Redis 7.0.
 */
import { parseInt64 } from "../base/numbers.ts";

/** Header and end mark of a listpack without elements. */
export const EMPTY_LISTPACK = 7;

export function stringSize(text: string): number {
  const integer = text.length <= 20 ? parseInt64(text) : undefined;
  if (integer !== undefined) return integerSize(Number(integer));
  const encoded = text.length + (text.length < 64 ? 1 : text.length < 4096 ? 2 : 5);
  return encoded + backLength(encoded);
}

export function integerSize(value: number): number {
  if (value >= 0 && value < 128) return 2;
  const magnitude = value < 0 ? -1 - value : value;
  if (magnitude < 2 ** 12) return 3;
  if (magnitude < 2 ** 15) return 4;
  if (magnitude < 2 ** 23) return 5;
  return magnitude < 2 ** 31 ? 6 : 10;
}

function backLength(encoded: number): number {
  if (encoded <= 127) return 1;
  if (encoded < 2 ** 14 - 1) return 2;
  if (encoded < 2 ** 21 - 1) return 3;
  return encoded < 2 ** 28 - 1 ? 4 : 5;
}
