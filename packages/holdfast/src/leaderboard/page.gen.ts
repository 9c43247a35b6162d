// Generated from page.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeFloat, decodeInt, decodeRows, decodeText, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeBool, encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface PageKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface PageArgs {
  readonly ties: string;
  readonly desc: boolean;
  readonly offset: number;
  readonly limit: number;
}

export type PageResult =
  | { readonly status: "window"; readonly total: number; readonly position: number; readonly rank: number; readonly rows: { readonly member: string; readonly score: number }[] };

/** A part of the board by position. */
export const page: Script<PageKeys, PageArgs, PageResult> = {
  class: "read",
  name: "leaderboard.page",
  sha1: "4f8a4b63bc2f6f9b9a692b051834acee455b62d6",
  lua: `-- leaderboard.page
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
local ties, desc, offset, limit = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])
return window(board, distinct, ties, desc, offset, limit)
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(args.ties, encodeBool(args.desc), encodeInt("offset", args.offset), encodeInt("limit", args.limit));
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "window":
        expectFields(fields, 4);
        return { status: "window", total: decodeInt(fields[1]), position: decodeInt(fields[2]), rank: decodeInt(fields[3]), rows: decodeRows(fields[4], 2, (flat, at) => ({ member: decodeText(flat[at]), score: decodeFloat(flat[at + 1]) })) };
      default:
        throw new UnexpectedReplyError("one of window", reply);
    }
  },
};
