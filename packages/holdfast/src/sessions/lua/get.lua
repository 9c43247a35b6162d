--- Read a session if it is alive, and restart its idle time when that is due.
-- A read although it may write: restarting the idle time once more harms nothing, so a lost answer is asked for again.
-- @class read
-- @batch
-- @include now
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg idleMs int
-- @arg touchMs int
-- @result found fields:list<bytes>
-- @result moved target:text
-- @result missing
local state, alias = find(session, index, handle, idleMs)
if alias then return {'moved', alias} end
if not state then return {'missing'} end
touch(session, index, handle, idleMs, touchMs, state)
return {'found', redis.call('HGETALL', session)}
