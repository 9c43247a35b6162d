// Generated from around.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeFloat, decodeInt, decodeRows, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeBool, encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface AroundKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface AroundArgs {
  readonly ties: string;
  readonly desc: boolean;
  readonly distance: number;
  readonly member: Arg;
}

export type AroundResult =
  | { readonly status: "window"; readonly total: number; readonly position: number; readonly rank: number; readonly rows: { readonly member: string; readonly score: number }[] }
  | { readonly status: "missing" };

/** A member and up to `distance` entries on either side. */
export const around: Script<AroundKeys, AroundArgs, AroundResult> = {
  class: "read",
  name: "leaderboard.around",
  sha1: "b3c4b8a08f23dd2498853e5ff5bd0bab3b94ae35",
  lua: `-- leaderboard.around
local function countBetter(key, score, desc)
  if desc then return redis.call('ZCOUNT', key, '(' .. score, '+inf') end
  return redis.call('ZCOUNT', key, '-inf', '(' .. score)
end
local function countDistinctBetter(board, distinct, score, desc)
  if redis.call('EXISTS', distinct) == 0 then
    error({err = 'ERR the board was begun without dense ranks; the next write of a handle with dense ranks adds them'})
  end
  return countBetter(distinct, score, desc)
end
local function rankOf(board, distinct, ties, desc, member, score)
  if ties == 'ordinal' then return 1 + redis.call(desc and 'ZREVRANK' or 'ZRANK', board, member) end
  if ties == 'dense' then return 1 + countDistinctBetter(board, distinct, score, desc) end
  return 1 + countBetter(board, score, desc)
end
local function window(board, distinct, ties, desc, offset, limit)
  local rows = redis.call(desc and 'ZREVRANGE' or 'ZRANGE', board, offset, offset + limit - 1, 'WITHSCORES')
  local rank = #rows > 0 and rankOf(board, distinct, ties, desc, rows[1], rows[2]) or 0
  return {'window', redis.call('ZCARD', board), offset + 1, rank, rows}
end
local board, distinct = KEYS[1], KEYS[2]
local ties, desc, distance, member = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), ARGV[4]
local before = redis.call(desc and 'ZREVRANK' or 'ZRANK', board, member)
if not before then return 'missing' end
local offset = math.max(0, before - distance)
return window(board, distinct, ties, desc, offset, before - offset + distance + 1)
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(args.ties, encodeBool(args.desc), encodeInt("distance", args.distance), args.member);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "window":
        expectFields(fields, 4);
        return { status: "window", total: decodeInt(fields[1]), position: decodeInt(fields[2]), rank: decodeInt(fields[3]), rows: decodeRows(fields[4], 2, (flat, at) => ({ member: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) })) };
      case "missing":
        expectFields(fields, 0);
        return { status: "missing" };
      default:
        throw new UnexpectedReplyError("one of window, missing", reply);
    }
  },
};
