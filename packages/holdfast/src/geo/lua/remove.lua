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
drop(places, ends, fields, {member})
return live
