--- What `exact` would reply now.
-- @class read
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
if excess <= 0 then return {1, all - base, 0, lastAt + windowMicros - at} end
return {0, all - base, waitFor(state, at, windowMicros, over, base, excess), lastAt + windowMicros - at}
