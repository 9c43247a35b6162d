--- Forget a key that nobody runs.
-- @class idempotent
-- @include now
-- @include record
-- @key entry
-- @result ok
-- @result missing
-- @result busy leftMs:int
local found = redis.call('GET', entry)
if not found then return {'missing'} end
local leftMs = leftOf(read(found))
if leftMs > 0 then return {'busy', leftMs} end
redis.call('DEL', entry)
return {'ok'}
