--- Store a value and supersede any load under way, whose result would be older.
-- @class idempotent
-- @batch
-- @key value
-- @key lease
-- @arg ttlMs int
-- @arg wakeChannel text
-- @arg payload bytes
-- @returns bool
redis.call('SET', value, payload, 'PX', ttlMs)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return 1
