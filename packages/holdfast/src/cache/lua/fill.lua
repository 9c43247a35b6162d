--- Store what was loaded, if the right to load was not taken away meanwhile: the compare-and-set against stale values.
-- @class idempotent
-- @batch
-- @include now
-- @include entry
-- @key value
-- @key lease
-- @arg token text
-- @arg ttlMs int
-- @arg wakeChannel text
-- @arg payload bytes
-- @result filled
-- @result superseded
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('SET', value, entryOf(payload, ttlMs), 'PX', ttlMs)
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'filled'}
