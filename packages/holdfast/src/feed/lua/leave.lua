--- Takes a follower out of its bucket.
-- @class idempotent
-- @key followers
-- @key bucket
-- @arg follower bytes
-- @arg buckets int    that the caller has found the bucket by
-- @result ok
-- @result moved buckets:int
local n = tonumber(redis.call('HGET', followers, 'n') or 1)
if n ~= buckets then return {'moved', n} end
if redis.call('ZREM', bucket, follower) == 1 and redis.call('HINCRBY', followers, 'c', -1) < 0 then
  redis.call('HSET', followers, 'c', 0)
end
return {'ok'}
