--- Keeps a partition for its owner, and says up to where dead letters were put back. `stale`: another has it, or its cursor was moved.
-- @class idempotent
-- @include now
-- @include redriven
-- @include used-until
-- @key state
-- @key cursors
-- @key redriven
-- @arg name text
-- @arg fence int
-- @arg leaseMs int
-- @arg keepMs int
-- @result ok redriven:float
-- @result stale
local known = redis.call('HMGET', state, 'fence', 'cursor')
if tonumber(known[1]) ~= fence then return 'stale' end
redis.call('HSET', state, 'until', now() + leaseMs, 'leaseMs', leaseMs)
used(state, cursors, name, tonumber(known[2]), keepMs)
return {'ok', newestRedriven(redriven)}
