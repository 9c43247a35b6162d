--- Remember something of a job that runs: only for the claim that is still its own.
-- @class idempotent
-- @include now
-- @key active
-- @key meta
-- @key steps
-- @arg id text
-- @arg fence int
-- @arg field text
-- @arg value bytes
-- @arg afterMs int    0 or more: instead of the value the time so long after now, unless there is one
-- @result ok
-- @result stale
local held = redis.call('ZSCORE', active, id)
if not held or tonumber(held) ~= fence then return 'stale' end
-- First what needs no memory: after it a script may write on when memory is full, and the step is done.
redis.call('HDEL', meta, 'w' .. id)
redis.call('HSET', meta, 's' .. id, 1)
if afterMs >= 0 then
  redis.call('HSETNX', steps, field, string.format('%.0f', now() + afterMs))
else
  redis.call('HSET', steps, field, value)
end
return 'ok'
