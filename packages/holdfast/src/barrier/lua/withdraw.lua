--- Take part no longer: before all have entered that frees the place, after that it breaks the barrier.
-- @class idempotent
-- @include now
-- @include round
-- @key barrier
-- @key members
-- @arg token text
-- @arg channel text
-- @result ok
if redis.call('ZREM', members, token) == 0 then return {'ok'} end
local state = redis.call('HMGET', barrier, 'round', 'phase')
if state[2] == 'inside' then breakRound(barrier, members, channel, state[1]) end
return {'ok'}
