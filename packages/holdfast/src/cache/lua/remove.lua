--- Remove a value and supersede any load under way: what it read may be what is being deleted.
-- @class idempotent
-- @batch
-- @include supersede
-- @key value
-- @key lease
-- @arg wakeChannel text
-- @returns bool
local removed = redis.call('DEL', value)
supersede(value, lease, wakeChannel)
return removed
