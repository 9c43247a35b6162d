--- Remove a value and supersede any load under way: what it read may be what is being deleted.
-- @class idempotent
-- @batch 64
-- @include now
-- @include entry
-- @include served
-- @include supersede
-- @include id-index
-- @key value
-- @key lease
-- @key ids
-- @key ends
-- @arg wakeChannel text
-- @arg id text           for the index
-- @result removed head:bytes
-- @result missing
local head = headOf(value)
redis.call('DEL', value)
unindex(value, ids, ends, id)
supersede(value, lease, wakeChannel)
if isServed(head) then return {'removed', head} end
return {'missing'}
