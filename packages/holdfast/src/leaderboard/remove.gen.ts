// Generated from remove.lua by scripts/generate-scripts.mjs; do not edit.

import type { Arg } from "../driver/port.ts";
import { decodeBool, decodeList } from "../script/decode.ts";
import type { Script } from "../script/script.ts";

export interface RemoveKeys {
  readonly board: Arg;
  readonly distinct: Arg;
}

export interface RemoveArgs {
  readonly members: readonly Arg[];
}

export type RemoveResult = boolean[];

/** Take members off the board; true for each that was on it. */
export const remove: Script<RemoveKeys, RemoveArgs, RemoveResult> = {
  class: "idempotent",
  name: "leaderboard.remove",
  sha1: "236bcba5897c72871a26322f1408022f85ad4bbe",
  lua: `-- leaderboard.remove
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
local members = ARGV
local indexed = isIndexed(board, distinct, false)
local removed = {}
for at, member in ipairs(members) do
  local before = redis.call('ZSCORE', board, member)
  removed[at] = before ~= false
  if before then redis.call('ZREM', board, member) end
  if before and indexed then forget(board, distinct, before) end
end
return removed
`,
  encodeKeys(keys, out) {
    out.push(keys.board, keys.distinct);
  },
  encodeArgs(args, out) {
    for (const each of args.members) out.push(each);
  },
  decode(reply) {
    return decodeList(reply, decodeBool);
  },
};
