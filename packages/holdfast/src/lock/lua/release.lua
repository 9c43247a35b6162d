--- Give back a hold; with `abandon` end a request whose fate is unknown or which waits no longer. Wakes the first waiter.
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
-- @arg abandon bool
-- @arg wakeChannel text
-- @result released
-- @result expired
-- @result stolen
-- `ended` has the tokens of the last holds that ended, 64 at least: a repeated release is answered as the first, and a
-- copy of an acquire that arrives late takes nothing. Calls are repeated for seconds at most, so a minute is long enough.
-- What takes no memory comes first: then the server lets the rest run although its memory is full.
local ENDED_TTL_MS = 60000
local MAX_ENDED = 128

local function remember()
  if redis.call('LPUSH', ended, token) > MAX_ENDED then redis.call('LTRIM', ended, 0, MAX_ENDED / 2 - 1) end
  redis.call('PEXPIRE', ended, ENDED_TTL_MS)
end

-- The owner's other holds keep the lock until the last of them ends.
local function drop(number, longestMs)
  if redis.call('HLEN', lock) > HEAD_FIELDS + 1 then
    redis.call('HDEL', lock, token)
    local live, latestMs = surveyHolds(lock, longestMs, false)
    if live > 0 then
      redis.call('PEXPIRE', lock, latestMs, 'LT')
      redis.call('PEXPIRE', fence, FENCE_TTL_MS + latestMs, 'LT')
      return
    end
  end
  redis.call('DEL', lock)
  markFree(fence, number)
end

local state = redis.call('HMGET', lock, 'owner', token, 'fence', 'ttl')
local holder, held = state[1], state[2]
if held then
  drop(state[3], tonumber(state[4]))
  remember()
  -- Also where others of the owner hold it still: its end may be nearer now than the waiters have seen.
  wakeNext(queue, alive, wakeChannel)
  return {'released'}
end
if redis.call('LPOS', ended, token) then return {'released'} end
if abandon then
  leaveQueue(queue, alive, token)
  remember()
end
if not holder then
  wakeNext(queue, alive, wakeChannel)
  return {'expired'}
end
if holder ~= owner then return {'stolen'} end
return {'expired'}
