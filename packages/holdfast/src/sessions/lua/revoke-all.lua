--- End all sessions of a user but one, at once and however many they are: out of the index is out of life.
-- @class idempotent
-- @include now
-- @include life
-- @key index
-- @arg except text
-- @returns list<text>
redis.call('ZREMRANGEBYSCORE', index, '-inf', now())
local expiresAt = redis.call('ZSCORE', index, except)
redis.call('ZREM', index, except)
local ended = redis.call('ZRANGE', index, 0, -1)
redis.call('DEL', index)
if expiresAt then enlist(index, except, tonumber(expiresAt)) end
return ended
