// Generated from increment.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeFloat, decodeList, decodeOptional } from "../script/decode.ts";
import { encodeBool, encodeInt } from "../script/encode.ts";
import type { Script } from "../script/script.ts";

export interface IncrementKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface IncrementArgs {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  /** 0 for none */
  readonly ttlMs: number;
  /** whether this write begins the time to live anew */
  readonly renew: boolean;
  /** what to add and member by turns */
  readonly entries: readonly Arg[];
}

export type IncrementResult = (number | null)[];

/** Add to scores; nil for a sum beyond 2^53 - 1, which is not stored. */
export const increment: Script<IncrementKeys, IncrementArgs, IncrementResult> = {
  class: "unsafe",
  name: "leaderboard.increment",
  sha1: "d1c8a216cf4b920ce59a5b24e97789f51191e1d1",
  lua: `-- leaderboard.increment
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
local sums = {}
for at = 2, #entries, 2 do
  sums[at / 2] = add(board, distinct, indexed, entries[at], tonumber(entries[at - 1]))
end
settle(board, distinct, indexed, maxSize, desc, ttlMs, renew)
return sums
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    out.push(encodeInt("maxSize", args.maxSize), encodeBool(args.desc), encodeBool(args.dense), encodeInt("ttlMs", args.ttlMs), encodeBool(args.renew));
    for (const each of args.entries) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, (part) => decodeOptional(part, decodeFloat));
  },
};
