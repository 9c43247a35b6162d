--- How many members there are.
-- @class read
-- @include now
-- @include live
-- @key places
-- @key ends
-- @key fields
-- @returns int
if not isWhole(places, ends, fields) then return 0 end
return redis.call('ZCOUNT', ends, string.format('(%.0f', now()), '+inf')
