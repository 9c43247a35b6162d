// Generated from best.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeBool, decodeFloat, decodeOptional, decodeRows } from "../script/decode.ts";
import { encodeBool, encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface BestKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface BestArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write begins the time to live anew */
  readonly renew: boolean;
  /** score and member by turns */
  readonly entries: readonly Arg[];
}

export type BestResult = { readonly improved: boolean; readonly score: number; readonly previous: number | null }[];

/** Give members these scores where they are better than what they have. */
export const best: Script<BestKeys, BestArgs, BestResult> = {
  class: "unsafe",
  name: "leaderboard.best",
  sha1: "b6391601459c68d6d7bb23b50baf416e9b0a9ff8",
  lua: `-- leaderboard.best
local MAX_SCORE = 9007199254740991
local MAX_INDEXED = 10000
local MAX_TRIMMED = 1000
local function textOf(score)
  return string.format('%.17g', tonumber(score))
end
local function index(board, distinct)
  if redis.call('ZCARD', board) > MAX_INDEXED then
    error({err = 'ERR the board was begun without dense ranks and is too large to add them'})
  end
  local rows = redis.call('ZRANGE', board, 0, -1, 'WITHSCORES')
  for at = 2, #rows, 2 do redis.call('ZADD', distinct, rows[at], textOf(rows[at])) end
end
local function isIndexed(board, distinct, dense)
  if redis.call('EXISTS', distinct) == 1 then
    if redis.call('EXISTS', board) == 1 then return true end
    redis.call('DEL', distinct)
  elseif dense then
    index(board, distinct)
  end
  return dense
end
local function forget(board, distinct, before)
  if redis.call('ZCOUNT', board, before, before) == 0 then redis.call('ZREM', distinct, textOf(before)) end
end
local function put(board, distinct, indexed, member, score, before)
  local text = textOf(score)
  redis.call('ZADD', board, text, member)
  if not indexed then return end
  redis.call('ZADD', distinct, text, text)
  if before then forget(board, distinct, before) end
end
local function add(board, distinct, indexed, member, by)
  local before = redis.call('ZSCORE', board, member)
  local sum = (tonumber(before) or 0) + by
  if math.abs(sum) > MAX_SCORE then return false end
  put(board, distinct, indexed, member, sum, before)
  return textOf(sum)
end
local function trim(board, distinct, indexed, maxSize, desc)
  local excess = math.min(redis.call('ZCARD', board) - maxSize, MAX_TRIMMED)
  if excess <= 0 then return false end
  local worst = desc and 0 or -1
  redis.call('ZREMRANGEBYRANK', board, desc and 0 or -excess, desc and excess - 1 or -1)
  if indexed then
    local bound = '(' .. redis.call('ZRANGE', board, worst, worst, 'WITHSCORES')[2]
    redis.call('ZREMRANGEBYSCORE', distinct, desc and '-inf' or bound, desc and bound or '+inf')
  end
  return true
end
local function expire(board, distinct, indexed, ttlMs, renew)
  if ttlMs == 0 then return end
  if renew then redis.call('PEXPIRE', board, ttlMs) else redis.call('PEXPIRE', board, ttlMs, 'NX') end
  local at = indexed and redis.call('PEXPIRETIME', board) or 0
  if at > 0 then redis.call('PEXPIREAT', distinct, at) end
end
local function settle(board, distinct, indexed, maxSize, desc, ttlMs, renew)
  local trimmed = trim(board, distinct, indexed, maxSize, desc)
  expire(board, distinct, indexed, ttlMs, renew)
  return trimmed
end
local board, distinct = KEYS[1], KEYS[2]
local maxSize, desc, dense, ttlMs, renew = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1'
local entries = {}
for i = 6, #ARGV do entries[i - 5] = ARGV[i] end
local indexed = isIndexed(board, distinct, dense)
local rows = {}
for at = 2, #entries, 2 do
  local member, score = entries[at], tonumber(entries[at - 1])
  local before = redis.call('ZSCORE', board, member)
  local gain = before and score - before or 0
  local improved = not before or gain > 0 and desc or gain < 0 and not desc
  if improved then put(board, distinct, indexed, member, score, before) end
  rows[#rows + 1] = improved
  rows[#rows + 1] = improved and textOf(score) or before
  rows[#rows + 1] = before
end
if settle(board, distinct, indexed, maxSize, desc, ttlMs, renew) then
  for at = 2, #entries, 2 do
    if not redis.call('ZSCORE', board, entries[at]) then rows[at / 2 * 3 - 2] = false end
  end
end
return rows
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    return decodeRows(reply, 3, (flat, at) => ({ improved: decodeBool(flat[at]), score: decodeFloat(flat[at + 1]), previous: decodeOptional(flat[at + 2], decodeFloat) }));
  },
};
