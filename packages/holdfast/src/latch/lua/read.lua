--- How far the round is, and whether the one before was opened.
-- @class read
-- @key latch
-- @key previous
-- @result none
-- @result round round:int count:int remaining:int previous:int previousOpened:bool
local HEAD_FIELDS = 3
local state = redis.call('HMGET', latch, 'round', 'count')
if not state[1] then return {'none'} end
local remaining = state[2] - (redis.call('HLEN', latch) - HEAD_FIELDS)
local before = redis.call('HMGET', previous, 'round', 'opened')
return {'round', state[1], state[2], math.max(remaining, 0), before[1] or 0, before[2] == '1'}
