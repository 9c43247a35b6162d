--- Stores an activity, unless there is one under its id, or was one that has been deleted.
-- @class idempotent
-- @key item
-- @arg bytes bytes
-- @arg keepMs int
-- @result ok
-- @result known bytes:bytes
-- @result deleted
local found = redis.call('GET', item)
if found and string.sub(found, 1, 4) == string.char(0, 0, 0, 0) then return {'deleted'} end
if found then return {'known', found} end
redis.call('SET', item, bytes, 'PX', keepMs)
return {'ok'}
