--- The backlog of a GCRA bucket in microseconds; 0 when it is full.
-- @class read
-- @batch 128
-- @include now
-- @key state
-- @returns int
local at = nowMicros()
local stored = redis.call('GET', state)
return math.max((stored and struct.unpack('d', stored) or at) - at, 0)
