--- Store a value unless one with a higher fence is there.
-- @class idempotent
-- @key entry
-- @arg fence int
-- @arg ttlMs int
-- @arg payload bytes
-- @result ok
-- @result stale fence:int
local highest = tonumber(redis.call('HGET', entry, 'fence') or 0)
if fence < highest then return {'stale', highest} end
redis.call('HSET', entry, 'fence', string.format('%.0f', fence), 'value', payload)
redis.call('PEXPIRE', entry, ttlMs)
return {'ok'}
