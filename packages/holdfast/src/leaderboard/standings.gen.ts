// Generated from standings.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { UnexpectedReplyError, decodeFloat, decodeInt, decodeOptional, decodeRows, decodeUnion, expectFields } from "../script/decode.ts";
import { encodeBool } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface StandingsKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface StandingsArgs {
  readonly ties: string;
  readonly desc: boolean;
  readonly members: readonly Arg[];
}

export type StandingsResult =
  | { readonly status: "standings"; readonly total: number; readonly rows: { readonly score: number | null; readonly rank: number; readonly worse: number; readonly equal: number }[] };

/** Where members stand: score (nil for one who is not on the board), rank, and how many others are worse and equal. */
export const standings: Script<StandingsKeys, StandingsArgs, StandingsResult> = {
  class: "read",
  name: "leaderboard.standings",
  sha1: "a07fa2891a7e90d9244859b8f18932c78f7b85e7",
  lua: `-- leaderboard.standings
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
local ties, desc = ARGV[1], ARGV[2] == '1'
local members = {}
for i = 3, #ARGV do members[i - 2] = ARGV[i] end
local total = redis.call('ZCARD', board)
local rows = {}
for _, member in ipairs(members) do
  local score = redis.call('ZSCORE', board, member)
  local rank, worse, equal = 0, 0, 0
  if score then
    rank = rankOf(board, distinct, ties, desc, member, score)
    worse = countBetter(board, score, not desc)
    equal = total - worse - countBetter(board, score, desc) - 1
  end
  local at = #rows
  rows[at + 1], rows[at + 2], rows[at + 3], rows[at + 4] = score, rank, worse, equal
end
return {'standings', total, rows}
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(args.ties, encodeBool(args.desc));
    for (const each of args.members) out.push(each);
  },
  decode(reply) {
    const { status, fields } = decodeUnion(reply);
    switch (status) {
      case "standings":
        expectFields(fields, 2);
        return { status: "standings", total: decodeInt(fields[1]), rows: decodeRows(fields[2], 4, (flat, at) => ({ score: decodeOptional(flat[at], decodeFloat), rank: decodeInt(flat[at + 1]), worse: decodeInt(flat[at + 2]), equal: decodeInt(flat[at + 3]) })) };
      default:
        throw new UnexpectedReplyError("one of standings", reply);
    }
  },
};
