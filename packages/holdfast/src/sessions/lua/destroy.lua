--- End a session. An id that was rotated away names the session to end instead.
-- @class idempotent
-- @include now
-- @include taken
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg idleMs int
-- @result destroyed
-- @result moved target:text
-- @result missing
local state, alias = find(session, index, handle, idleMs)
local target = alias or redis.call('HGET', session, 'heir')
if target then return {'moved', target} end
bury(session)
redis.call('ZREM', index, handle)
return {state and 'destroyed' or 'missing'}
