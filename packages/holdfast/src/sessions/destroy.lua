--- End a session. An id that was rotated away names the session to end instead.
-- @class idempotent
-- @include now
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg idleMs int
-- @result destroyed
-- @result moved target:text
-- @result missing
local target = redis.call('HMGET', session, 'alias', 'heir')
if target[1] or target[2] then return {'moved', target[1] or target[2]} end
local state = find(session, index, handle, idleMs)
redis.call('DEL', session)
redis.call('ZREM', index, handle)
return {state and 'destroyed' or 'missing'}
