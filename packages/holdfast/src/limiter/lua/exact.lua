--- Takes `cost` if not more than `limit` were taken within the last `windowMicros`, with this call: a sliding log.
-- The reply is 1 if it was allowed, else 0 and nothing changed; what counts now; microseconds until the same call can be
-- allowed; and microseconds until nothing counts any more.
-- @class unsafe
-- @batch 128
-- @include now
-- @include log
-- @key state
-- @arg cost int
-- @arg limit int
-- @arg windowMicros int
-- @returns list<int>
local at, over, base, all, lastAt = logNow(state, windowMicros)
local excess = all - base + cost - limit
if excess > 0 then
  return {0, all - base, waitFor(state, at, windowMicros, over, base, excess), lastAt + windowMicros - at}
end
if over > 0 then redis.call('ZREMRANGEBYRANK', state, 0, over - 1) end
redis.call('ZADD', state, at, string.format('%016.0f:%.0f', all + cost, cost))
redis.call('PEXPIREAT', state, math.ceil((at + windowMicros) / 1000))
return {1, all - base + cost, 0, windowMicros}
