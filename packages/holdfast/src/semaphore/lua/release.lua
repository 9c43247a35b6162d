--- Give permits back, and hand them over to those who wait.
-- @class dedupable
-- @batch 80
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
-- @result released
-- @result gone
readState(permits, state)
if redis.call('ZREM', permits, hold) == 0 then return {'gone'} end
held = held - count
if waitedUntil == 0 then
  writeState(state)
else
  handOver(permits, state, queue, alive, wakeChannel, limit, strict)
end
return {'released'}
