--- Corrects the number of followers by those that were found, unless it has changed meanwhile, or a bucket was added: whoever went there was met twice.
-- @class idempotent
-- @key followers
-- @arg before int
-- @arg count int
-- @arg buckets int    before
-- @result ok
local known = redis.call('HMGET', followers, 'c', 'n')
if tonumber(known[1] or 0) == before and tonumber(known[2] or 1) == buckets then redis.call('HSET', followers, 'c', count) end
return {'ok'}
