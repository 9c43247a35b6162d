--- Registers a subscription of a topic under its name, unless it is there.
-- @class idempotent
-- @include now
-- @key registry
-- @key names
-- @arg name text
-- @arg kind text
-- @arg keepMs int    how long it outlives its last use; 0: for ever
-- @result ok
-- @result conflict kind:text
local known = redis.call('HGET', registry, 'kind')
if known == 'removed' then known = false end
if known and known ~= kind then return {'conflict', known} end
if not known then redis.call('HSET', registry, 'kind', kind, 'createdAt', now()) end
if keepMs > 0 then redis.call('PEXPIRE', registry, keepMs) else redis.call('PERSIST', registry) end
redis.call('SADD', names, name)
return 'ok'
