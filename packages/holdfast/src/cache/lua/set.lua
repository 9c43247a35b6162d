--- Store a value and supersede any load under way, whose result would be older.
-- @class idempotent
-- @batch
-- @include now
-- @include entry
-- @key value
-- @key lease
-- @arg ttlMs int
-- @arg wakeChannel text
-- @arg payload bytes
-- @returns bool
redis.call('SET', value, entryOf(payload, ttlMs), 'PX', ttlMs)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return 1
