--- Keep a run's lease for `leaseMs` from now. Never begins one.
-- @class idempotent
-- @include now
-- @include record
-- @key entry
-- @arg token text
-- @arg leaseMs int
-- @arg ttlMs int
-- @result extended
-- @result expired
-- @result stolen
local found = redis.call('GET', entry)
if not found then return {'expired'} end
local it = read(found)
if it.token ~= token then return {'stolen'} end
if it.state ~= 'r' then return {'expired'} end
it.untilMs, it.leaseMs = now() + leaseMs, leaseMs
replace(entry, it, '', math.max(ttlMs, leaseMs))
return {'extended'}
