--- Whether a round is over or broken, for one that has left it.
-- @class idempotent
-- @include now
-- @include round
-- @key barrier
-- @key members
-- @arg round int
-- @arg channel text
-- @result over
-- @result broken
-- @result inside leftMs:int
local state = redis.call('HMGET', barrier, 'round', 'phase', 'last', 'floor')
if wasBroken(state[3], state[4], round) then return {'broken'} end
if tonumber(state[1]) ~= round then return {state[1] and 'over' or 'broken'} end
if state[2] == 'over' then return {'over'} end
if isBroken(barrier, members, channel, state[1]) then return {'broken'} end
local early = redis.call('ZRANGE', members, 0, 0, 'WITHSCORES')[2]
return {'inside', early - now()}
