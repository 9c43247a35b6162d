--- Change the value of who leads.
-- @class idempotent
-- @key leader
-- @arg token text
-- @arg value bytes
-- @arg channel text
-- @result ok
-- @result expired
-- @result stolen
local state = redis.call('HMGET', leader, 'token', 'term')
if not state[1] then return {'expired'} end
if state[1] ~= token then return {'stolen'} end
redis.call('HSET', leader, 'value', value)
redis.call('PUBLISH', channel, state[2])
return {'ok'}
