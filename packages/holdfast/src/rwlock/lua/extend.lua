--- Keep a hold for `ttlMs` from now, or as long as it lasts already. Never creates one.
-- @class idempotent
-- @include now
-- @key holds
-- @key state
-- @arg token text
-- @arg ttlMs int
-- @result extended
-- @result expired
local KEEP_MS = 86400000
if not redis.call('ZSCORE', holds, token) then return {'expired'} end
-- First, as they take no memory: then the server lets the script write on although its memory is full.
redis.call('PEXPIRE', holds, KEEP_MS + ttlMs, 'GT')
redis.call('PEXPIRE', state, KEEP_MS + ttlMs, 'GT')
local endsAt = now() + ttlMs
redis.call('ZADD', holds, 'XX', 'GT', endsAt, token)
local known = redis.call('HMGET', state, 'fence', 'ttl', 'until')
if known[1] then
  redis.call('HSET', state, 'ttl', math.max(known[2] or 0, ttlMs), 'until', math.max(known[3] or 0, endsAt))
end
return {'extended'}
