--- Begin the next round, unless that has happened since `round`.
-- @class idempotent
-- @include now
-- @key latch
-- @key previous
-- @arg round int
-- @arg count int
-- @arg ttlMs int
-- @arg channel text
-- @result ok round:int
-- A call is repeated for seconds at most, so the round before is kept for a minute.
local PREVIOUS_TTL_MS = 60000
local stored = redis.call('HGET', latch, 'round')
local current = tonumber(stored) or 0
if stored and current ~= round then return {'ok', stored} end
local number = string.format('%.0f', math.max(round + 1, nowMicros()))
if stored then
  redis.call('RENAME', latch, previous)
  redis.call('PEXPIRE', previous, PREVIOUS_TTL_MS)
end
redis.call('HSET', latch, 'round', number, 'count', count, 'opened', 0)
redis.call('PEXPIRE', latch, ttlMs)
redis.call('PUBLISH', channel, number)
return {'ok', number}
