--- Adds an entry to its author's outbox, and returns what is known of those who follow.
-- @class idempotent
-- @key outbox     sorted set: activity ids by time (us)
-- @key followers  hash: buckets (n), followers (c), mode (m), since when (s, us)
-- @arg id bytes
-- @arg score int
-- @arg size int
-- @arg keepMs int
-- @result ok buckets:int count:int mode:text since:int
redis.call('ZADD', outbox, score, id)
redis.call('ZREMRANGEBYRANK', outbox, 0, -size - 1)
redis.call('PEXPIRE', outbox, keepMs)
local known = redis.call('HMGET', followers, 'n', 'c', 'm', 's')
return {'ok', known[1] or '1', known[2] or '0', known[3] or 'push', known[4] or '0'}
