--- Leaves a stream that is not over to the next producer.
-- @class idempotent
-- @include now
-- @key state
-- @arg token text
-- @result released
-- @result expired
-- @result stolen
local held = redis.call('HMGET', state, 'status', 'token')
if not held[1] then return {'expired'} end
if held[2] ~= token then return {'stolen'} end
redis.call('HSET', state, 'until', now())
return {'released'}
