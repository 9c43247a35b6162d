--- Notes whom a reader follows, and from what time (us) on entries are shown.
-- @class idempotent
-- @key following
-- @arg author bytes
-- @arg from int
-- @arg most int
-- @result ok
-- @result known from:int
-- @result limit
local known = redis.call('ZSCORE', following, author)
if known then return {'known', string.format('%.0f', tonumber(known))} end
if redis.call('ZCARD', following) >= most then return {'limit'} end
redis.call('ZADD', following, from, author)
return {'ok'}
