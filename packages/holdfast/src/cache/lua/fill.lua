--- Store what was loaded, if the right to load was not taken away meanwhile: the compare-and-set against stale values.
-- @class idempotent
-- @batch
-- @include now
-- @include entry
-- @key value
-- @key lease
-- @arg token text
-- @arg freshMs int
-- @arg keepMs int        freshMs and the grace
-- @arg wakeChannel text
-- @arg head bytes        see entry.ts, without the time
-- @arg payload bytes
-- @result filled
-- @result superseded
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('SET', value, entryOf(head, payload, freshMs), 'PX', keepMs)
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'filled'}
