--- End a request that waits no longer or whose fate is unknown.
-- @class idempotent
-- @include now
-- @include permits
-- @include wait-queue
-- @include hand-over
-- @key permits
-- @key state
-- @key queue
-- @key alive
-- @arg hold text
-- @arg count int
-- @arg limit int
-- @arg strict bool
-- @arg wakeChannel text
-- @result done
readState(permits, state)
if redis.call('ZREM', permits, hold) == 1 then held = held - count end
leaveQueue(queue, alive, hold)
if redis.call('EXISTS', permits) == 1 then handOver(permits, state, queue, alive, wakeChannel, limit, strict) end
return {'done'}
