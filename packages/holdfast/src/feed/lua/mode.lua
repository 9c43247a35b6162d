--- Changes how an author's followers get entries, if it is still as it was.
-- @class idempotent
-- @key followers
-- @arg before text
-- @arg since int      us
-- @arg after text
-- @arg at int         us
-- @result ok
-- @result changed
local known = redis.call('HMGET', followers, 'm', 's')
local mode, from = known[1] or 'push', tonumber(known[2] or 0)
if mode == after and from == at then return {'ok'} end
if mode ~= before or from ~= since then return {'changed'} end
redis.call('HSET', followers, 'm', after, 's', string.format('%.0f', at))
return {'ok'}
