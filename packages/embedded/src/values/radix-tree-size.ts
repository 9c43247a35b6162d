/**
 * How many nodes Redis's radix tree has for these keys, as XINFO STREAM reports it: one for each key's end, one where keys part,
 * and one for each run of bytes between two of those.
 */
import type { StreamId } from "./stream-id.ts";

/** @param ids ascending and different */
export function radixTreeSize(ids: readonly StreamId[]): number {
  return ids.length === 0 ? 1 : nodesOf(ids.map(keyOf), 0, ids.length, 0);
}

/** Of the keys from `start` up to `end`, which have their first `depth` bytes in common. */
function nodesOf(keys: readonly string[], start: number, end: number, depth: number): number {
  const first = keys[start] as string;
  const last = keys[end - 1] as string;
  let parting = depth;
  while (parting < first.length && first[parting] === last[parting]) parting += 1;
  let nodes = parting > depth ? 2 : 1;
  if (parting === first.length) return nodes;
  for (let from = start; from < end;) {
    let to = from + 1;
    while (to < end && keys[to]?.[parting] === keys[from]?.[parting]) to += 1;
    nodes += nodesOf(keys, from, to, parting + 1);
    from = to;
  }
  return nodes;
}

/** 16 bytes, the most significant first. */
function keyOf({ ms, seq }: StreamId): string {
  const key = Buffer.alloc(16);
  key.writeBigUInt64BE(BigInt(ms), 0);
  key.writeBigUInt64BE(BigInt(seq), 8);
  return key.toString("latin1");
}
