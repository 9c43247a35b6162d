--- Keep a hold for `ttlMs` from now, or as long as it lasts already. Never creates one.
-- @class idempotent
-- @include now
-- @key lock
-- @arg owner text
-- @arg token text
-- @arg ttlMs int
-- @result extended
-- @result expired
-- @result stolen
local state = redis.call('HMGET', lock, 'owner', token)
local holder, expiresAt = state[1], state[2]
if not expiresAt then
  if holder and holder ~= owner then return {'stolen'} end
  return {'expired'}
end
redis.call('HSET', lock, token, math.max(tonumber(expiresAt), now() + ttlMs))
redis.call('PEXPIRE', lock, ttlMs, 'GT')
return {'extended'}
