--- Adds a follower to its bucket.
-- @class idempotent
-- @key followers  hash: buckets (n), followers (c)
-- @key bucket     sorted set of followers
-- @arg follower bytes
-- @arg buckets int    that the caller has found the bucket by
-- @arg most int
-- @result ok count:int
-- @result moved buckets:int
-- @result limit
local n = tonumber(redis.call('HGET', followers, 'n') or 1)
if n ~= buckets then return {'moved', n} end
local count = tonumber(redis.call('HGET', followers, 'c') or 0)
if redis.call('ZSCORE', bucket, follower) then return {'ok', count} end
if count >= most then return {'limit'} end
redis.call('ZADD', bucket, 0, follower)
return {'ok', redis.call('HINCRBY', followers, 'c', 1)}
