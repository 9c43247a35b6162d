--- Metres between two members; nil when one of them is not there.
-- @class read
-- @batch
-- @include now
-- @include live
-- @key places
-- @key ends
-- @arg from text
-- @arg to text
-- @returns float?
if not (isLive(places, ends, from) and isLive(places, ends, to)) then return false end
return redis.call('GEODIST', places, from, to, 'm')
