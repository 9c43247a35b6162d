--- Give back a hold; with `abandon` end a request whose fate is unknown or which waits no longer. Hands the lock to the first waiter.
-- @class dedupable
-- @include now
-- @include wait-queue
-- @include hold
-- @include ended
-- @key lock
-- @key fence
-- @key holds
-- @key ended
-- @key queue
-- @key alive
-- @key broken
-- @arg owner text
-- @arg token text
-- @arg number int       the fence of the hold; 0 where it is not known
-- @arg abandon bool
-- @arg repeated bool    an earlier attempt may have been executed
-- @arg handMs int       for how long a waiter of the same handle gets it; 0: it is told as any other
-- @arg lateCopies bool
-- @arg wakeChannel text
-- @result released
-- @result handed taker:text fence:int contended:bool
-- @result expired
-- @result stolen
-- @result unclear
-- `handed`: released, and a waiter of the same handle has it.
-- `unclear`: an earlier attempt has released it, or it was lost before that; others have had the lock since.
-- A repeated release is answered as the first: `fence` has the last one that was released. Of those that share a lock, and where a
-- copy of an acquire can arrive late and must take nothing, `ended` has the tokens of the last holds that ended. `broken` has those
-- that somebody else ended (resume, force-release).
-- What takes no memory comes first: then the server lets the rest run although its memory is full.
local keys = { lock = lock, fence = fence, holds = holds, queue = queue, alive = alive }
local isShared = owner ~= ''
local me = isShared and '=' .. owner or token
local remembers = isShared or lateCopies

local function remember()
  if remembers then rememberEnded(ended, token) end
end

-- The owner's other holds keep the lock until the last of them ends. That may be earlier now than the waiters have seen.
local function isKept(longestMs)
  redis.call('HDEL', holds, token)
  local live, latestMs = surveyHolds(holds, longestMs, false)
  if live == 0 then return false end
  redis.call('PEXPIRE', lock, latestMs, 'LT')
  redis.call('PEXPIRE', fence, FENCE_TTL_MS + latestMs, 'LT')
  local first = firstWaiters(queue, alive)[1]
  if first then redis.call('PUBLISH', wakeChannel, string.sub(first, 1, TOKEN_LENGTH)) end
  return true
end

local holder, held, longestMs = readLock(lock)
local last, heldMs, released = readFence(fence)
if holder == me and (not isShared or redis.call('HEXISTS', holds, token) == 1) then
  if not isShared or not isKept(longestMs) then
    redis.call('DEL', lock, holds)
    last = math.max(last, tonumber(held))
    local giver = handMs > 0 and not repeated and token
    local taker, number, isContended = handOver(keys, last, held, wakeChannel, giver, handMs)
    if number then
      remember()
      return {'handed', taker, tonumber(number), isContended}
    end
    if not taker then redis.call('SET', fence, string.format('%.0f 0 %s', last, held), 'PX', FENCE_TTL_MS) end
  end
  remember()
  return 'released'
end

local isBroken = number > 0 and redis.call('ZSCORE', broken, string.format('%s %.0f', token, number))
if not isBroken then
  if number > 0 and not isShared and tonumber(released) == number then return 'released' end
  if remembers and redis.call('LPOS', ended, token) then return 'released' end
end
if abandon then
  leaveQueue(queue, alive, token .. owner)
  remember()
end
if not holder and evictedMs(fence, heldMs) <= 0 then handOver(keys, last, released, wakeChannel) end
if repeated and number > 0 and last > number and not isBroken then return 'unclear' end
return holder and holder ~= me and 'stolen' or 'expired'
