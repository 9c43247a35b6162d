--- Takes `costMicros` out of a bucket that holds `depthMicros` and refills by one microsecond per microsecond.
-- GCRA as virtual scheduling (ITU-T I.371, annex A). `state` is the theoretical arrival time (TAT): the microsecond at
-- which the bucket is full again, as a packed double: text would cost a fifth of the call. The key expires with the whole second after its TAT: a call whose TAT lies in the same
-- second as the one before then keeps the time to live, and setting it is a third of the call.
-- The reply is the backlog (TAT minus now): after the cost was taken, or negated where it was denied and nothing changed.
-- @class unsafe
-- @batch 128
-- @include now
-- @key state
-- @arg costMicros int
-- @arg depthMicros int
-- @returns int
local at = nowMicros()
local stored = redis.call('GET', state)
local tat = stored and struct.unpack('d', stored) or at
local backlog = tat > at and tat - at or 0
local taken = backlog + costMicros
if taken > depthMicros then return -backlog end
local full = at + taken
local second = full - full % 1000000
if stored and tat >= second and tat < second + 1000000 then
  redis.call('SET', state, struct.pack('d', full), 'KEEPTTL')
else
  redis.call('SET', state, struct.pack('d', full), 'EXAT', second / 1000000 + 1)
end
return taken
