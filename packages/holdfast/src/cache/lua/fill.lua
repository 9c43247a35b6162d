--- Store what was loaded, if the right to load was not taken away meanwhile: the compare-and-set against stale values.
-- @class idempotent
-- @batch 64
-- @include now
-- @include entry
-- @include id-index
-- @key value
-- @key lease
-- @key ids
-- @key ends
-- @arg token text
-- @arg freshMs int       below 0: for ever
-- @arg keepMs int        freshMs and the grace
-- @arg wakeChannel text
-- @arg id text           for the index
-- @arg head bytes        see entry.ts, without the time
-- @arg payload bytes
-- @result filled
-- @result superseded
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
index(value, ids, ends, id, keepMs)
store(value, head, payload, freshMs, keepMs)
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'filled'}
