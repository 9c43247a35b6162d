--- Puts off the time from which on another process is told of a closed period; false if one has been told.
-- @class idempotent
-- @include now
-- @key due
-- @arg id text
-- @arg leaseMs int
-- @returns bool
if not redis.call('ZSCORE', due, id) then return false end
redis.call('ZADD', due, now() + leaseMs, id)
return true
