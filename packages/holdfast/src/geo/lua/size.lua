--- How many members there are.
-- @class read
-- @include now
-- @key ends
-- @returns int
return redis.call('ZCOUNT', ends, string.format('(%.0f', now()), '+inf')
