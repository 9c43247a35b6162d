--- Removes a member; true if it was there.
-- @class idempotent
-- @batch 96
-- @include now
-- @include live
-- @key places
-- @key ends
-- @key fields
-- @arg member text
-- @returns bool
local live = isLive(places, ends, member)
-- Where the server refuses writes for now this is an error: nothing was removed.
redis.call('ZREM', places, member)
drop(places, ends, fields, {member})
return live
