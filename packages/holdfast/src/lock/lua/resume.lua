--- Takes a hold over from its holder, for another request and with a new fence.
-- @class dedupable
-- @include now
-- @include wait-queue
-- @include hold
-- @include ended
-- @include broken
-- @key lock
-- @key fence
-- @key holds
-- @key ended
-- @key queue
-- @key alive
-- @key broken
-- @arg from text        the token of the hold
-- @arg number int       its fence
-- @arg token text       of the request that takes it over
-- @arg ttlMs int
-- @arg lateCopies bool
-- @arg wakeChannel text
-- @result resumed fence:int contended:bool
-- @result expired
-- @result stolen
local keys = { lock = lock, fence = fence, holds = holds, ended = ended, broken = broken }

-- The request was given up: this is a copy that was delayed on its way, and nobody hears the answer.
if lateCopies and redis.call('LPOS', ended, token) then return 'stolen' end

local holder, held, longestMs, marked = readLock(lock)
if holder == token then
  keepFor(keys, token, ttlMs)
  return {'resumed', tonumber(held), marked}
end
if not holder then return 'expired' end
if holder ~= from or tonumber(held) ~= number then return 'stolen' end

local leftMs = boundedTtl(lock, longestMs)
-- First, as it takes no memory: then the server lets the rest run although its memory is full.
redis.call('PEXPIRE', lock, ttlMs)
local last, _, released = readFence(fence)
local raised = string.format('%.0f', math.max(last + 1, number + 1, nowMicros()))
writeLock(lock, token, raised, ttlMs, marked, 'PX', ttlMs)
markHeld(fence, raised, ttlMs, released)
breakHold(keys, from, held, leftMs, lateCopies, wakeChannel)
-- It may expire earlier now than the first waiter has seen.
local first = marked and firstWaiters(queue, alive)[1]
if first then redis.call('PUBLISH', wakeChannel, string.sub(first, 1, TOKEN_LENGTH)) end
return {'resumed', tonumber(raised), marked}
