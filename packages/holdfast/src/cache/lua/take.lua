--- Read a value and remove it, and supersede any load under way.
-- @class unsafe
-- @batch
-- @include supersede
-- @key value
-- @key lease
-- @arg wakeChannel text
-- @result taken value:bytes
-- @result missing
local found = redis.pcall('GET', value)
redis.call('DEL', value)
supersede(value, lease, wakeChannel)
if type(found) ~= 'string' then return {'missing'} end
return {'taken', found}
