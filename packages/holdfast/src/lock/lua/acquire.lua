--- Take the lock if it is free or this owner's already; else, if asked to, join the queue of those who wait for it.
-- @class dedupable
-- @include now
-- @include wait-queue
-- @key lock
-- @key fence
-- @key ended
-- @key queue
-- @key alive
-- @arg owner text
-- @arg token text
-- @arg ttlMs int
-- @arg queued bool
-- @arg since int
-- @result acquired fence:int
-- @result busy ttlMs:int since:int
-- @result crowded
-- `lock` is a hash: owner, fence, and for each hold its token with the time (ms) at which it expires.
local MAX_HOLDS = 100

-- Holds whose process died leave their place when places get rare.
local function isCrowded()
  if redis.call('HLEN', lock) - 2 < MAX_HOLDS then return false end
  local fields = redis.call('HGETALL', lock)
  local live = 0
  for at = 1, #fields, 2 do
    local field, expiresAt = fields[at], tonumber(fields[at + 1])
    if field ~= 'owner' and field ~= 'fence' then
      if expiresAt > now() then live = live + 1 else redis.call('HDEL', lock, field) end
    end
  end
  return live >= MAX_HOLDS
end

-- Never less than the server's clock, so that a fence also rises across the expiry of its key and a fail-over to a
-- replica that has not seen the last one. The key guards against a clock that is set back.
local FENCE_TTL_MS = 86400000

local function nextFence()
  local last = tonumber(redis.call('GET', fence) or 0)
  return string.format('%.0f', math.max(last + 1, nowMicros()))
end

-- The request was given up, or its hold released: this is a copy that was delayed on its way, and nobody hears the answer.
if redis.call('LPOS', ended, token) then return {'busy', 0, since} end

local state = redis.call('HMGET', lock, 'owner', 'fence', token)
local holder, number, held = state[1], state[2], state[3]
if holder and holder ~= owner then
  local leftMs = redis.call('PTTL', lock)
  if queued then since = joinQueue(queue, alive, token, since, leftMs) end
  return {'busy', leftMs, since}
end
if holder and not held and isCrowded() then return {'crowded'} end
if queued then leaveQueue(queue, alive, token) end
if holder then
  redis.call('HSET', lock, token, now() + ttlMs)
else
  number = nextFence()
  redis.call('SET', fence, number, 'PX', FENCE_TTL_MS)
  redis.call('HSET', lock, 'owner', owner, 'fence', number, token, now() + ttlMs)
end
expireNoEarlier(lock, ttlMs)
return {'acquired', tonumber(number)}
