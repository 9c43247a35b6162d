--- Stay inside; whoever finds one that died breaks the barrier.
-- @class idempotent
-- @include now
-- @include round
-- @key barrier
-- @key members
-- @arg token text
-- @arg round int
-- @arg ttlMs int
-- @arg channel text
-- @result extended
-- @result expired
local state = redis.call('HMGET', barrier, 'round', 'phase')
if tonumber(state[1]) ~= round or state[2] ~= 'inside' then return {'expired'} end
if isBroken(barrier, members, channel, state[1]) then return {'expired'} end
if not redis.call('ZSCORE', members, token) then return {'expired'} end
redis.call('ZADD', members, 'XX', now() + ttlMs, token)
return {'extended'}
