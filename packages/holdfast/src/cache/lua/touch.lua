--- Begin an entry's time again, if it has a value and is not over. The result is what stands before that, by which the caller knows whether it is valid.
-- @class idempotent
-- @batch 64
-- @include now
-- @include entry
-- @include served
-- @include id-index
-- @key value
-- @key ids
-- @key ends
-- @arg id text           for the index
-- @arg freshMs int       below 0: for ever
-- @arg keepMs int        freshMs and the grace
-- @result touched head:bytes
-- @result missing
local head = headOf(value)
if not isServed(head) then return {'missing'} end
redis.call('SETRANGE', value, 1, untilOf(freshMs))
local ms = hasGrace(head) and keepMs or freshMs
index(value, ids, ends, id, ms)
if ms < 0 then redis.call('PERSIST', value) else redis.call('PEXPIRE', value, ms) end
return {'touched', head}
