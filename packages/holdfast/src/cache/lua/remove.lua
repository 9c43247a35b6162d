--- Remove a value and supersede any load under way: what it read may be what is being deleted.
-- @class idempotent
-- @batch
-- @key value
-- @key lease
-- @arg wakeChannel text
-- @returns bool
local removed = redis.call('DEL', value)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
return removed
