--- Read a session if it is alive, and restart its idle time when that is due.
-- A read although it may write: restarting the idle time once more harms nothing, so a lost answer is asked for again.
-- @class read
-- @batch 96
-- @include now
-- @include taken
-- @include life
-- @key session
-- @key index
-- @arg handle text
-- @arg idleMs int
-- @arg touchMs int
-- @arg via text          handle of the alias that led here, or ''
-- @result found fields:list<bytes> touched:bool
-- @result moved target:text
-- @result missing
local state, alias = find(session, index, handle, idleMs, via)
if alias then return {'moved', alias} end
if not state then
  -- Where the server has evicted a session, its place among the user's becomes free.
  if redis.call('EXISTS', session) == 0 and redis.call('ZSCORE', index, handle) then taken('ZREM', index, handle) end
  return {'missing'}
end
local touched = touch(session, index, handle, idleMs, touchMs, state)
return {'found', redis.call('HGETALL', session), touched and 1 or 0}
