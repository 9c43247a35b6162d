// Generated from shapes.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../../src/driver/port.ts";
import { UnexpectedReplyError, decodeBool, decodeFloat, decodeInt, decodeList, decodeMap, decodeOptional, decodeRows, decodeText, decodeUnion, expectFields } from "../../src/script/decode.ts";
import { encodeInt } from "../../src/script/encode.ts";
import type { Script } from "../../src/script/script.ts";

export interface ShapesKeys {
  readonly hash: Arg;
  readonly board: Arg;
}

export interface ShapesArgs {
  readonly ttlMs: number;
  readonly pairs: readonly Arg[];
}

export type ShapesResult =
  | { readonly status: "shapes"; readonly fields: Map<string, number>; readonly ranking: { readonly member: string; readonly score: number }[]; readonly nested: (number | null)[][]; readonly nothing: boolean }
  | { readonly status: "empty" };

/** Writes a hash and a sorted set, and gives them back as they come. */
export const shapes: Script<ShapesKeys, ShapesArgs, ShapesResult> = {
  class: "idempotent",
  name: "sample-scripts.shapes",
  sha1: "30f5f4dcb144f88231ced7aa4699bd2814c0f217",
  lua: `-- sample-scripts.shapes
local hash, board = KEYS[1], KEYS[2]
local ttlMs = tonumber(ARGV[1])
local pairs = {}
for i = 2, #ARGV do pairs[i - 1] = ARGV[i] end
if #pairs == 0 then return 'empty' end
redis.call('HSET', hash, unpack(pairs))
for i = 1, #pairs, 2 do redis.call('ZADD', board, pairs[i + 1], pairs[i]) end
redis.call('PEXPIRE', hash, ttlMs)
redis.call('PEXPIRE', board, ttlMs)
local ranking = redis.call('ZRANGE', board, 0, -1, 'WITHSCORES')
return {'shapes', redis.call('HGETALL', hash), ranking, {{1, false, 3}, {}}, false}
`,
  encodeKeys(keys, out) {
    out.push(keys.hash, keys.board);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("ttlMs", args.ttlMs));
    for (const each of args.pairs) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "shapes":
        expectFields(fields, 4);
        return { status: "shapes", fields: decodeMap(fields[1], decodeInt), ranking: decodeRows(fields[2], 2, (flat, at) => ({ member: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) })), nested: decodeList(fields[3], (part) => decodeList(part, (part) => decodeOptional(part, decodeInt))), nothing: decodeBool(fields[4]) };
      case "empty":
        expectFields(fields, 0);
        return { status: "empty" };
      default:
        throw new UnexpectedReplyError("one of shapes, empty", reply);
    }
  },
};
