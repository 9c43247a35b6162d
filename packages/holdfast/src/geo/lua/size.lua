--- How many members there are.
-- @class read
-- @include now
-- @key places
-- @key ends
-- @returns int
-- Memory eviction takes whole keys: without a position nobody is there.
if redis.call('ZCARD', places) == 0 then return 0 end
return redis.call('ZCOUNT', ends, string.format('(%.0f', now()), '+inf')
