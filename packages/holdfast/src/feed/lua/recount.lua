--- Corrects the number of followers by those that were found, unless it has changed meanwhile.
-- @class idempotent
-- @key followers
-- @arg before int
-- @arg count int
-- @result ok
local known = redis.call('HGET', followers, 'c')
if tonumber(known or 0) == before then redis.call('HSET', followers, 'c', count) end
return {'ok'}
