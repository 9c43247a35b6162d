--- Give the right to load back without a value, so that a waiter can try.
-- @class idempotent
-- @batch 64
-- @key value
-- @key lease
-- @arg token text
-- @arg wakeChannel text
-- @result abandoned
-- @result superseded
local state = redis.call('HMGET', lease, 'token', 'waiters')
if state[1] ~= token then return {'superseded'} end
redis.call('DEL', lease)
if state[2] then redis.call('PUBLISH', wakeChannel, value) end
return {'abandoned'}
