--- Takes a deleted activity out of a group; a group that is empty goes.
-- @class idempotent
-- @key named
-- @key group
-- @arg id bytes
-- @arg member bytes
-- @result ok
redis.call('ZREM', group, id)
local newest = redis.call('ZRANGE', group, -1, -1, 'WITHSCORES')
if newest[1] and newest[1] ~= '!n' then
  redis.call('ZADD', named, 'XX', newest[2], member)
else
  redis.call('DEL', group)
  redis.call('ZREM', named, member)
end
return {'ok'}
