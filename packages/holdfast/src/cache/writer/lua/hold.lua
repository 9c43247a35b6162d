--- Remove an entry and take the right to fill it, from whoever has it: the database is about to be written.
-- Returns the version of the write: the time in microseconds, or one more than the last holder's.
-- Removing needs no memory and comes first, so that this can be done while memory is full.
-- @class idempotent
-- @batch 64
-- @include now
-- @key value
-- @key lease
-- @arg token text
-- @arg leaseMs int
-- @returns int
redis.call('DEL', value)
local version = math.max((tonumber(redis.call('HGET', lease, 'version')) or 0) + 1, nowMicros())
redis.call('HSET', lease, 'token', token, 'version', string.format('%.0f', version))
redis.call('PEXPIRE', lease, leaseMs)
return version
