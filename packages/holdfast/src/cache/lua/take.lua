--- Read a value and remove it, and supersede any load under way.
-- @class unsafe
-- @batch
-- @key value
-- @key lease
-- @arg wakeChannel text
-- @result taken value:bytes
-- @result missing
local found = redis.pcall('GET', value)
redis.call('DEL', value)
local waiters = redis.call('HGET', lease, 'waiters')
redis.call('DEL', lease)
if waiters then redis.call('PUBLISH', wakeChannel, value) end
if type(found) ~= 'string' then return {'missing'} end
return {'taken', found}
