--- Removes a member; true if it was there.
-- @class idempotent
-- @batch
-- @include now
-- @include live
-- @key places
-- @key ends
-- @arg member text
-- @returns bool
local live = isLive(places, ends, member)
redis.call('ZREM', places, member)
redis.call('ZREM', ends, member)
return live
