--- Takes `costMicros` out of a bucket that holds `depthMicros` and refills by one microsecond per microsecond.
-- GCRA as virtual scheduling (ITU-T I.371, annex A). `state` is the theoretical arrival time (TAT): the microsecond at
-- which the bucket is full again. A full bucket is no key, so the key expires at its TAT and not before it.
-- The reply is the backlog (TAT minus now): after the cost was taken, or negated where it was denied and nothing changed.
-- @class unsafe
-- @batch
-- @include now
-- @key state
-- @arg costMicros int
-- @arg depthMicros int
-- @returns int
local at = nowMicros()
local backlog = math.max((redis.call('GET', state) or at) - at, 0)
local taken = backlog + costMicros
if taken > depthMicros then return -backlog end
redis.call('SET', state, at + taken, 'PXAT', math.ceil((at + taken) / 1000))
return taken
