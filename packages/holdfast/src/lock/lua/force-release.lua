--- End the hold, whoever has it, raise the fence, and hand the lock to the first waiter.
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
-- @arg id text          of this call, the same in all its attempts
-- @arg repeated bool    an earlier attempt may have been executed
-- @arg lateCopies bool
-- @arg wakeChannel text
-- @result ended owner:text fence:int raised:int
-- @result free
-- No owner (''): the key was evicted, and with it who held it.
local keys = { lock = lock, fence = fence, holds = holds, ended = ended, queue = queue, alive = alive, broken = broken }

-- What an earlier attempt has done: the next holder is not to be ended as well.
if repeated then
  for _, member in ipairs(redis.call('ZRANGE', broken, 0, -1)) do
    local was, number, raised, owner = string.match(member, '^(%S+) (%d+) (%d+) (.*)$')
    if was == id and raised == '0' then return 'free' end
    if was == id then return {'ended', owner, tonumber(number), tonumber(raised)} end
  end
end

local holder, number, longestMs = readLock(lock)
local last, heldMs, released = readFence(fence)
local leftMs = holder and boundedTtl(lock, longestMs) or evictedMs(fence, heldMs)
local tokens = { holder }
if holder and string.sub(holder, 1, 1) == '=' then tokens = redis.call('HKEYS', holds) end
-- First, as it takes no memory: then the server lets the rest run although its memory is full.
redis.call('DEL', lock, holds)
if leftMs <= 0 then
  noteBroken(keys, id .. ' 0 0 ', 0)
  handOver(keys, last, released, wakeChannel)
  return 'free'
end

local owner = string.gsub(holder or '', '^=', '')
number = number or string.format('%.0f', last)
local raised = string.format('%.0f', math.max(last + 1, tonumber(number) + 1, nowMicros()))
for _, token in ipairs(tokens) do breakHold(keys, token, number, leftMs, lateCopies, wakeChannel) end
noteBroken(keys, id .. ' ' .. number .. ' ' .. raised .. ' ' .. owner, leftMs)
if not handOver(keys, tonumber(raised), released, wakeChannel) then
  redis.call('SET', fence, raised .. ' 0 ' .. released, 'PX', FENCE_TTL_MS)
end
return {'ended', owner, tonumber(number), tonumber(raised)}
