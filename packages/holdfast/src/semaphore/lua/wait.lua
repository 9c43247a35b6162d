--- Take permits that were handed over to this hold or are free for it, else stay in the queue.
-- @class dedupable
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
-- @arg ttlMs int
-- @arg strict bool
-- @arg since int
-- @arg wakeChannel text
-- @result acquired fence:int
-- @result busy ttlMs:int since:int
-- @result oversized limit:int
local at = now()
readState(permits, state)
if not redis.call('ZSCORE', permits, hold) then
  local most = stored >= 0 and stored or limit
  if count > most and most > 0 then
    leaveQueue(queue, alive, hold)
    return {'oversized', most}
  end
  since = joinQueue(queue, alive, hold, since, MAX_PAUSE_MS)
  handOver(permits, state, queue, alive, wakeChannel, limit, strict, hold)
  if not redis.call('ZSCORE', permits, hold) then
    local againMs = math.min(nextEnd(permits, at), MAX_PAUSE_MS)
    redis.call('ZADD', alive, at + againMs + WAITER_GRACE_MS, hold)
    return {'busy', againMs, since}
  end
end
local fence = grant(permits, state, hold, count, ttlMs, at)
leaveQueue(queue, alive, hold)
return {'acquired', fence}
