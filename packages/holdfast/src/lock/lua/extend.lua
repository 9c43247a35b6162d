--- Keep a hold for `ttlMs` from now, or as long as it lasts already. Never creates one.
-- @class idempotent
-- @include now
-- @include hold
-- @key lock
-- @key fence
-- @arg owner text
-- @arg token text
-- @arg ttlMs int
-- @result extended
-- @result expired
-- @result stolen
local state = redis.call('HMGET', lock, 'owner', token, 'ttl', 'fence')
local holder, expiresAt, longestMs, number = state[1], state[2], tonumber(state[3]), state[4]
if not expiresAt then
  if holder and holder ~= owner then return {'stolen'} end
  return {'expired'}
end
keepFor(lock, fence, ttlMs)
local latest = now() + math.max(ttlMs, longestMs)
redis.call('HSET', lock, token, math.min(math.max(tonumber(expiresAt), now() + ttlMs), latest))
if ttlMs > longestMs then
  redis.call('HSET', lock, 'ttl', ttlMs)
  markHeld(fence, number, ttlMs)
end
return {'extended'}
