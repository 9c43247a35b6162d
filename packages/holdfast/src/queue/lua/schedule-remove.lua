--- Remove a schedule; jobs that it has added stay. With `seen` only if its state is still that.
-- @class idempotent
-- @key ticks
-- @key states
-- @key schedules
-- @key names
-- @arg id text
-- @arg seen text   or empty
-- @returns bool
if seen ~= '' and redis.call('HGET', states, id) ~= seen then return false end
redis.call('ZREM', ticks, id)
redis.call('ZREM', names, id)
redis.call('HDEL', states, id)
return redis.call('HDEL', schedules, id)
