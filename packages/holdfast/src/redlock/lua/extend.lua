--- Prolongs a vote and stores the fence that a majority agreed on. A server that was away, or has forgotten its vote, gives it now.
-- @class dedupable
-- @include fence
-- @key lock
-- @key fence
-- @key ended
-- @arg token text
-- @arg ttlMs int
-- @arg number int
-- @arg lateCopies bool
-- @result extended
-- @result expired
-- @result stolen
if lateCopies and redis.call('EXISTS', ended) == 1 then return {'expired'} end
local holder = redis.call('GET', lock)
if holder and holder ~= token then return {'stolen'} end
-- What takes no memory comes first: then the server lets the rest run although its memory is full.
if holder then redis.call('PEXPIRE', lock, ttlMs, 'GT') else redis.call('SET', lock, token, 'PX', ttlMs) end
if tonumber(redis.call('GET', fence) or 0) < number then
  keepFence(fence, number, ttlMs)
else
  redis.call('PEXPIRE', fence, FENCE_TTL_MS + ttlMs, 'GT')
end
return {'extended'}
