import { HoldfastError } from "../../base/errors.ts";
import type { Reply } from "../../driver/port.ts";

/** Through a proxy, or a client of the user's own that decodes replies, it may be something else. */
export function listFrom(reply: Reply): readonly Reply[] {
  if (Array.isArray(reply)) return reply;
  const message = `cache: the server replied a ${typeof reply} where a list is expected`;
  throw new HoldfastError("WRONG_TYPE", message, { op: "cache.versions" });
}

/** RESP3 has pairs and doubles, RESP2 a flat list of texts. */
export function pairsOf(reply: Reply): [string, number][] {
  const flat = listFrom(reply).flat();
  const pairs: [string, number][] = [];
  for (let at = 0; at < flat.length; at += 2) pairs.push([String(flat[at]), numberOf(flat[at + 1]!)]);
  return pairs;
}

export function numberOf(reply: Reply): number {
  return Number(String(reply));
}
