--- Adds a bucket: about half of the followers of one go there (linear hashing, Litwin 1980), so that all stay small.
-- @class idempotent
-- @key followers
-- @key source
-- @key target
-- @arg buckets int    before
-- @arg modulus int    of the hashes that are in `source`
-- @returns int       how many there are now
local n = tonumber(redis.call('HGET', followers, 'n') or 1)
if n ~= buckets then return n end
for _, follower in ipairs(redis.call('ZRANGE', source, 0, -1)) do
  if tonumber(string.sub(redis.sha1hex(follower), 1, 8), 16) % (2 * modulus) == buckets then
    redis.call('ZREM', source, follower)
    redis.call('ZADD', target, 0, follower)
  end
end
redis.call('HSET', followers, 'n', buckets + 1)
return buckets + 1
