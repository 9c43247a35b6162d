--- The backlog of a GCRA bucket in microseconds; 0 when it is full.
-- @class read
-- @batch
-- @include now
-- @key state
-- @returns int
local at = nowMicros()
return math.max((redis.call('GET', state) or at) - at, 0)
