--- Store a value and supersede any load under way, whose result would be older.
-- @class idempotent
-- @batch
-- @include now
-- @include entry
-- @key value
-- @key lease
-- @arg freshMs int
-- @arg keepMs int        freshMs and the grace
-- @arg wakeChannel text
-- @arg head bytes        see entry.ts, without the time
-- @arg payload bytes
-- @returns bool
redis.call('SET', value, entryOf(head, payload, freshMs), 'PX', keepMs)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return 1
