--- How many writes wait, for how long the oldest has, and how many were put aside.
-- @class read
-- @include now
-- @key since
-- @key dead
-- @result ok count:int oldestMs:int dead:int
local first = redis.call('ZRANGE', since, 0, 0, 'WITHSCORES')[2]
return {'ok', redis.call('ZCARD', since), first and math.max(now() - tonumber(first), 0) or 0, redis.call('HLEN', dead)}
