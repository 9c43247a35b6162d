--- Count down once for an id; the last one opens the round. The first begins it.
-- @class dedupable
-- @include now
-- @key latch
-- @key previous          the round before
-- @arg id text
-- @arg opId text         names this call
-- @arg again bool        it is sent again
-- @arg count int         of a round that begins
-- @arg ttlMs int
-- @arg channel text      of those who wait
-- @result ok remaining:int round:int
-- `latch` is a hash: round, count, opened (1 or 0), and for each id that has counted down `i:<id>` with the call that did.
local HEAD_FIELDS = 3

-- It was executed in a round that was reset since: it does not count in this one.
if again then
  local before = redis.call('HMGET', previous, 'i:' .. id, 'round')
  if before[1] == opId then return {'ok', 0, before[2]} end
end
local state = redis.call('HMGET', latch, 'round', 'count')
local round, total = state[1], tonumber(state[2]) or count
if not round then
  round = string.format('%.0f', nowMicros())
  redis.call('HSET', latch, 'round', round, 'count', count, 'opened', 0)
end
local remaining = total - (redis.call('HLEN', latch) - HEAD_FIELDS)
if remaining > 0 and redis.call('HSETNX', latch, 'i:' .. id, opId) == 1 then
  remaining = remaining - 1
  if remaining == 0 then
    redis.call('HSET', latch, 'opened', 1)
    redis.call('PUBLISH', channel, round)
  end
end
redis.call('PEXPIRE', latch, ttlMs)
return {'ok', remaining, round}
