--- Enter, or stay entered; the last of them lets all in.
-- @class idempotent
-- @include now
-- @include round
-- @key barrier
-- @key members
-- @arg token text
-- @arg parties int
-- @arg ttlMs int
-- @arg untilMs int   by the server's clock; whoever asked has given up after it
-- @arg channel text
-- @result inside round:int
-- @result gathering missing:int
-- @result busy leftMs:int
-- @result late
local KEEP_MS = 86400000
if now() > untilMs then return {'late'} end
local state = redis.call('HMGET', barrier, 'round', 'phase')
local round, phase = state[1], state[2]
if phase == 'inside' and not isBroken(barrier, members, channel, round) then
  if redis.call('ZADD', members, 'XX', 'CH', now() + ttlMs, token) == 1 or redis.call('ZSCORE', members, token) then
    redis.call('PEXPIRE', members, ttlMs + KEEP_MS)
    return {'inside', round}
  end
  local early = redis.call('ZRANGE', members, 0, 0, 'WITHSCORES')[2]
  return {'busy', early and math.max(early - now(), 0) or 0}
end
if phase ~= 'gathering' then
  round = string.format('%.0f', math.max((tonumber(round) or 0) + 1, nowMicros()))
  local last = redis.call('HGET', barrier, 'last') or ''
  -- Where it was not known, it was forgotten with all rounds of before.
  local floor = state[1] and (redis.call('HGET', barrier, 'floor') or 0) or round
  redis.call('DEL', barrier, members)
  redis.call('HSET', barrier, 'round', round, 'phase', 'gathering', 'last', last, 'floor', floor)
end
redis.call('ZREMRANGEBYSCORE', members, '-inf', now())
redis.call('ZADD', members, now() + ttlMs, token)
redis.call('PEXPIRE', barrier, ttlMs + KEEP_MS)
redis.call('PEXPIRE', members, ttlMs + KEEP_MS)
local missing = parties - redis.call('ZCARD', members)
if missing > 0 then return {'gathering', missing} end
redis.call('HSET', barrier, 'phase', 'inside')
redis.call('PUBLISH', channel, round)
return {'inside', round}
