--- End all sessions of a user but one, at once and however many they are: out of the index is out of life.
-- The one to spare may be named by the alias from before its rotation. Named by itself it loses that alias, which somebody
-- else may hold.
-- @class idempotent
-- @include now
-- @include taken
-- @include life
-- @key index
-- @key spared
-- @arg except text        handle of the session at `spared`, or ''
-- @returns list<text>
local alias = redis.call('HMGET', spared, 'alias', 'until')
if alias[1] and now() < tonumber(alias[2]) then
  except = string.match(alias[1], '[^/]*$')
else
  redis.call('HDEL', spared, 'from')
end
redis.call('ZREMRANGEBYSCORE', index, '-inf', now())
local expiresAt = redis.call('ZSCORE', index, except)
redis.call('ZREM', index, except)
local ended = redis.call('ZRANGE', index, 0, -1)
redis.call('DEL', index)
if expiresAt then enlist(index, except, tonumber(expiresAt)) end
return ended
