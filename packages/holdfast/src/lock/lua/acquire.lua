--- Take the lock if it is free or this owner's already; else, if asked to, join the queue of its waiters.
-- @class dedupable
-- @include now
-- @include wait-queue
-- @include hold
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
-- @arg lateCopies bool
-- @result acquired fence:int
-- @result busy ttlMs:int since:int
-- @result crowded
local MAX_HOLDS = 100

-- Holds whose process died leave their place when places get rare.
local function isCrowded(longestMs)
  if redis.call('HLEN', lock) - HEAD_FIELDS < MAX_HOLDS then return false end
  return surveyHolds(lock, longestMs, true) >= MAX_HOLDS
end

local function busy(leftMs)
  if queued then since = joinQueue(queue, alive, token, since, leftMs) end
  return {'busy', leftMs, since}
end

-- PTTL of a key that should last no longer than `mostMs`; it does after the server's clock was set back, or a PERSIST.
local function boundedTtl(key, mostMs)
  local leftMs = redis.call('PTTL', key)
  if leftMs >= 0 and leftMs <= mostMs then return leftMs end
  redis.call('PEXPIRE', key, mostMs)
  return mostMs
end

-- The request was given up, or its hold released: this is a copy that was delayed on its way, and nobody hears the answer.
-- Asked only by those whose copies can be late: where the connection is fenced, none is.
if lateCopies and redis.call('LPOS', ended, token) then return {'busy', 0, since} end

local state = redis.call('HMGET', lock, 'owner', 'fence', token, 'ttl')
local holder, number, held, longestMs = state[1], state[2], state[3], tonumber(state[4])
if holder and holder ~= owner then return busy(boundedTtl(lock, longestMs)) end
if holder and not held and isCrowded(longestMs) then return {'crowded'} end
if not holder then
  local last, lastTtl = string.match(redis.call('GET', fence) or '0', '^(%d+):?(%d*)$')
  lastTtl = tonumber(lastTtl)
  if lastTtl then
    local leftMs = boundedTtl(fence, FENCE_TTL_MS + lastTtl) - FENCE_TTL_MS
    if leftMs > 0 then return busy(leftMs) end
  end
  -- Never less than the server's clock, so that a fence also rises across the loss of its key and a failover to a
  -- replica that has not seen the last one. The key guards against a clock that is set back.
  number = string.format('%.0f', math.max(last + 1, nowMicros()))
end
redis.call('HSET', lock, token, now() + ttlMs)
if holder and ttlMs <= longestMs then
  keepFor(lock, fence, ttlMs)
else
  redis.call('HSET', lock, 'owner', owner, 'fence', number, 'ttl', ttlMs)
  redis.call('PEXPIRE', lock, ttlMs)
  markHeld(fence, number, ttlMs)
end
-- Last: a write that takes no memory, before the others, would let them through though memory is full.
if queued then leaveQueue(queue, alive, token) end
return {'acquired', tonumber(number)}
