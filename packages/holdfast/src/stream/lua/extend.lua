--- Keeps a stream for its producer. Never makes one of it again.
-- @class idempotent
-- @include now
-- @key state
-- @key log
-- @key meta
-- @arg token text
-- @arg leaseMs int
-- @arg ttlMs int
-- @result extended
-- @result expired
-- @result stolen
local held = redis.call('HMGET', state, 'status', 'token')
if not held[1] then return {'expired'} end
if held[2] ~= token then return {'stolen'} end
if held[1] ~= 'open' then return {'expired'} end
redis.call('HSET', state, 'until', now() + leaseMs)
for _, key in ipairs({state, log, meta}) do redis.call('PEXPIRE', key, ttlMs) end
return {'extended'}
