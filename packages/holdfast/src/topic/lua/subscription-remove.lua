--- Removes a subscription's registration; what remains of it for a while ends its members.
-- @class idempotent
-- @key registry
-- @key names
-- @key members
-- @arg name text
-- @arg channel text
-- @arg wakeKey text
-- @returns bool
local known = redis.call('HGET', registry, 'kind')
redis.call('DEL', members)
redis.call('SREM', names, name)
if not known or known == 'removed' then return false end
redis.call('DEL', registry)
redis.call('HSET', registry, 'kind', 'removed')
redis.call('PEXPIRE', registry, 3600000)
redis.call('PUBLISH', channel, wakeKey)
return true
