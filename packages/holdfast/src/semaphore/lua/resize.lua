--- Store a limit, which counts from now on instead of those that the requests bring, or forget it.
-- @class idempotent
-- @include now
-- @include permits
-- @include wait-queue
-- @include hand-over
-- @key permits
-- @key state
-- @key queue
-- @key alive
-- @arg limit int
-- @arg set bool
-- @arg strict bool
-- @arg wakeChannel text
-- @result ok held:int
readState(permits, state)
stored = set and limit or -1
keep(permits, state, now(), math.max(longestMs, LEAST_TTL_MS))
handOver(permits, state, queue, alive, wakeChannel, limit, strict)
return {'ok', held}
