--- Stores a message that was given up as a dead letter, and takes it out of what is claimed, once however often it is called.
-- @class idempotent
-- @batch 64
-- @include now
-- @include shared
-- @key meta          of the log
-- @key log
-- @key state         of the subscription if it is of kind `shared`
-- @key dead          letters by when they died
-- @key records       letters as they are stored
-- @key redriven      letters that are to be handled again
-- @key owned         the partition, if the subscription is of kind `ordered`
-- @arg letter text
-- @arg record bytes
-- @arg member text      that is claimed; empty: there is no such state
-- @arg generation int
-- @arg tag int
-- @arg fence int        of the owner of the partition; 0: nobody owns it
-- @arg epoch int        of its message
-- @arg offset int
-- @arg publishedAt int  of a message that a shared subscription has claimed; 0: it is not looked at
-- @arg place text       of a redriven letter among those; empty: it is none
-- @arg maxLetters int
-- @arg keepMs int
-- @result ok
-- @result stale
-- `stale`: it is not claimed as the tag says, or the partition is another's, or another message stands in its place; nothing was done.
local SCORES_PER_MS = 1024
local MAX_DROPPED = 10

if member ~= '' then
  local s = loadState(state)
  local score = redis.call('ZSCORE', state, member)
  if not s or s.g ~= generation or not score or score % TAGS ~= tag then
    if not score and redis.call('ZSCORE', dead, letter) then return {'ok'} end
    return {'stale'}
  end
  if publishedAt > 0 then
    local head, epochNow, _, headAt = logHead(meta, log)
    if epochNow ~= epoch or not isThere(log, head, headAt, offset, publishedAt) then return {'stale'} end
  end
end
if fence > 0 then
  local held = redis.call('HMGET', owned, 'fence', 'cursor', 'epoch')
  if tonumber(held[1]) ~= fence then return {'stale'} end
  -- What is settled was buried before: this is sent again.
  if place ~= '' then
    if redis.call('ZSCORE', redriven, letter) ~= place then return {'ok'} end
  elseif tonumber(held[3]) == epoch and tonumber(held[2]) >= offset then
    return {'ok'}
  end
end
-- Where the records were evicted, the letters of before are lost.
if redis.call('EXISTS', records) == 0 then redis.call('UNLINK', dead) end
-- Its place among the others is its own, so that a page can begin behind it.
local last = redis.call('ZRANGE', dead, -1, -1, 'WITHSCORES')[2]
local at = math.max(now() * SCORES_PER_MS, (last or 0) + 1)
redis.call('ZADD', dead, 'NX', whole(at), letter)
redis.call('HSET', records, letter, record)
redis.call('ZREM', redriven, letter)
if member ~= '' then redis.call('ZREM', state, member) end

local surplus = math.min(redis.call('ZCARD', dead) - maxLetters, MAX_DROPPED)
local old = redis.call('ZRANGE', dead, 0, whole((now() - keepMs) * SCORES_PER_MS), 'BYSCORE', 'LIMIT', 0, MAX_DROPPED)
if surplus > 0 then for _, each in ipairs(redis.call('ZRANGE', dead, 0, surplus - 1)) do old[#old + 1] = each end end
for _, each in ipairs(old) do
  redis.call('ZREM', dead, each)
  redis.call('HDEL', records, each)
end
redis.call('PEXPIRE', dead, keepMs)
redis.call('PEXPIRE', records, keepMs)
return {'ok'}
