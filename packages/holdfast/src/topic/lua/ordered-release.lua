--- Gives a partition back, and wakes the members: the next one takes it at once.
-- @class idempotent
-- @key state
-- @arg fence int
-- @arg channel text
-- @arg wakeKey text
-- @result ok
-- @result stale
if tonumber(redis.call('HGET', state, 'fence')) ~= fence then return 'stale' end
redis.call('HDEL', state, 'owner', 'token', 'until')
redis.call('PUBLISH', channel, wakeKey)
return 'ok'
