--- Makes a subscription's cursor in one partition, unless it is there.
-- @class idempotent
-- @include now
-- @include log
-- @include used-until
-- @key state
-- @key log
-- @key meta     of the log
-- @key cursors  what retention looks at
-- @arg name text
-- @arg from int      the cursor; -1: the end
-- @arg epoch int     that it belongs to; 0: none yet
-- @arg lost bool     there was one, and the server has lost it: the first owner says so
-- @arg keepMs int    how long it outlives its last use; 0: for ever
-- @result created
-- @result exists
if redis.call('HEXISTS', state, 'cursor') == 1 then return 'exists' end
local cursor, known = from, epoch
if from < 0 then
  local tail = logState(log, meta, '')
  cursor, known = tail.head, tail.head > 0 and tail.epoch or 0
end
redis.call('HSET', state, 'cursor', cursor, 'epoch', known)
if lost then redis.call('HSET', state, 'lost', 1) end
used(state, cursors, name, cursor, keepMs)
return 'created'
