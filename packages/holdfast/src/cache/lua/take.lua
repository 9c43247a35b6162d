--- Read a value within its time and remove it, and supersede any load under way.
-- @class unsafe
-- @batch 64
-- @include now
-- @include entry
-- @include supersede
-- @include id-index
-- @key value
-- @key lease
-- @key ids
-- @key ends
-- @arg wakeChannel text
-- @arg id text           for the index
-- @result taken value:bytes
-- @result missing
local found = redis.pcall('GET', value)
redis.call('DEL', value)
unindex(value, ids, ends, id)
supersede(value, lease, wakeChannel)
if type(found) ~= 'string' or isOver(found) then return {'missing'} end
return {'taken', found}
