--- Take the lock if it is free or this owner's already; else, if asked to, join the queue of its waiters.
-- @class dedupable
-- @include now
-- @include wait-queue
-- @include hold
-- @key lock
-- @key fence
-- @key holds
-- @key ended
-- @key queue
-- @key alive
-- @arg owner text       "" where the request shares the lock with nobody
-- @arg token text
-- @arg ttlMs int
-- @arg queued bool
-- @arg since int
-- @arg lateCopies bool
-- @arg wakeChannel text
-- @result acquired fence:int contended:bool
-- @result busy ttlMs:int since:int
-- @result crowded
local MAX_HOLDS = 100
local keys = { lock = lock, fence = fence, holds = holds, queue = queue, alive = alive }
local me = owner == '' and token or '=' .. owner
local member = token .. owner

-- Holds whose process died leave their place when places get rare.
local function isCrowded(longestMs)
  if redis.call('HLEN', holds) < MAX_HOLDS then return false end
  return surveyHolds(holds, longestMs, true) >= MAX_HOLDS
end

-- Holds that were evicted under their holders are believed in: something must keep the lock for them when this one is released.
local function noteEvicted(leftMs)
  redis.call('HSET', holds, 'evicted', now() + leftMs)
  redis.call('PEXPIRE', holds, leftMs)
end

local function busy(leftMs)
  if not queued then return {'busy', leftMs, since} end
  since = joinQueue(queue, alive, member, since, leftMs)
  local holder, number, ttlMs, marked = readLock(lock)
  if holder and not marked then writeLock(lock, holder, number, ttlMs, true, 'KEEPTTL') end
  return {'busy', leftMs, since}
end

-- Whether a waiter that may be given the lock stands before this request.
local function isBehind(first)
  if not first or first == member then return false end
  return since == 0 or since > tonumber(redis.call('ZSCORE', queue, first))
end

-- The request was given up, or its hold released: this is a copy that was delayed on its way, and nobody hears the answer.
-- Asked only by those whose copies can be late: where the connection is fenced, none is. Or it was granted unheard and ended by
-- force: then its next attempt is not to come at once.
if lateCopies and redis.call('LPOS', ended, token) then return {'busy', ACCEPT_MS, since} end

local holder, number, longestMs, marked = readLock(lock)
if holder and holder ~= me then return busy(boundedTtl(lock, longestMs)) end

if holder then
  if owner ~= '' and redis.call('HEXISTS', holds, token) == 0 then
    if redis.call('EXISTS', holds) == 0 then noteEvicted(boundedTtl(lock, longestMs)) end
    if isCrowded(longestMs) then return {'crowded'} end
    redis.call('HSET', holds, token, now() + ttlMs)
  end
  keepFor(keys, token, ttlMs)
else
  local last, heldMs, released = readFence(fence)
  local leftMs = evictedMs(fence, heldMs)
  if leftMs > 0 then return busy(leftMs) end
  local waiters = {}
  if redis.call('EXISTS', queue) == 1 then waiters = firstWaiters(queue, alive) end
  if isBehind(waiters[1]) then
    handOver(keys, last, released, wakeChannel)
    return busy(ACCEPT_MS)
  end
  marked = #waiters > 1 or (#waiters == 1 and waiters[1] ~= member)
  number = grant(keys, owner, token, ttlMs, last, released, marked)
end
-- Last: a write that takes no memory, before the others, would let them through though memory is full.
if queued then leaveQueue(queue, alive, member) end
return {'acquired', tonumber(number), marked}
