--- Who leads, and for how long at least unless it resigns; not who was handed the lead and has not taken it yet.
-- @class read
-- @key leader
-- @result none
-- @result led term:int id:text value:bytes since:int ttlMs:int
local state = redis.call('HMGET', leader, 'term', 'id', 'value', 'since')
if not state[2] then return {'none'} end
return {'led', state[1], state[2], state[3] or '', state[4], redis.call('PTTL', leader)}
