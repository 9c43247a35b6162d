--- Gives this server's vote for a lock to an attempt, if nobody has it, or that attempt has it already.
-- @class dedupable
-- @include now
-- @include fence
-- @key lock
-- @key fence
-- @key ended
-- @arg token text
-- @arg ttlMs int
-- @arg maxTtlMs int        longer than anybody may have it
-- @arg lateCopies bool
-- @result given fence:int
-- @result busy
if lateCopies and redis.call('EXISTS', ended) == 1 then return {'busy'} end
local holder = redis.call('GET', lock)
if holder and holder ~= token then
  -- It lasts for longer than it was given: the server's clock was set back.
  local leftMs = redis.call('PTTL', lock)
  if leftMs < 0 or leftMs > maxTtlMs then redis.call('PEXPIRE', lock, maxTtlMs) end
  return {'busy'}
end
local number = math.max((redis.call('GET', fence) or 0) + 1, nowMicros())
redis.call('SET', lock, token, 'PX', ttlMs)
keepFence(fence, number, ttlMs)
return {'given', number}
