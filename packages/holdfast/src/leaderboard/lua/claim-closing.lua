--- Takes a period that was closed, for a time: nobody else is told of it meanwhile, and somebody is again if this process dies.
-- @class idempotent
-- @include now
-- @key due
-- @arg leaseMs int
-- @returns list<text>
local ids = redis.call('ZRANGEBYSCORE', due, '-inf', now(), 'LIMIT', 0, 1)
if ids[1] then redis.call('ZADD', due, now() + leaseMs, ids[1]) end
return ids
