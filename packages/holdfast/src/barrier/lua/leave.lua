--- Leave; the last of them ends the round.
-- @class dedupable
-- @include now
-- @include round
-- @key barrier
-- @key members
-- @arg token text
-- @arg round int
-- @arg channel text
-- @result left
-- @result broken
local state = redis.call('HMGET', barrier, 'round', 'phase', 'last', 'floor', 'l:' .. token)
if wasBroken(state[3], state[4], round) then return {'broken'} end
-- Another round has begun, so this one was over; or all of it was forgotten.
if tonumber(state[1]) ~= round then return {state[1] and 'left' or 'broken'} end
if state[5] or state[2] == 'over' then return {'left'} end
if isBroken(barrier, members, channel, state[1]) or redis.call('ZREM', members, token) == 0 then return {'broken'} end
redis.call('HSET', barrier, 'l:' .. token, 1)
if redis.call('ZCARD', members) == 0 then
  redis.call('HSET', barrier, 'phase', 'over')
  redis.call('PUBLISH', channel, state[1])
end
return {'left'}
