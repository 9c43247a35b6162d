--- End a session whose successor was created in another slot. What is left opens nothing: it only lets a sign-out that
-- still carries the old id find the successor.
-- @class idempotent
-- @include now
-- @include taken
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg target text
-- @arg version int
-- @arg traceMs int
-- @arg idleMs int
-- @result retired
-- @result conflict
-- @result missing
if redis.call('HGET', session, 'heir') == target then return {'retired'} end
local state = find(session, index, handle, idleMs)
if not state then return {'missing'} end
if state.version ~= version then return {'conflict'} end
if state.user then redis.call('ZREM', index, handle) end
redis.call('DEL', session)
redis.call('HSET', session, 'heir', target)
redis.call('PEXPIRE', session, traceMs)
return {'retired'}
