--- Notes what a reader has seen and read. Of more marks than are kept the oldest become a limit: what is older counts as read.
-- @class idempotent
-- @key marks  sorted set: entries that were read by their times (us); `!seen` and `!read`: up to these times all is
-- @arg seen int
-- @arg read int
-- @arg kept int
-- @arg keepMs int
-- @arg entries... bytes   time and id, alternating
-- @result ok
local seenTo = math.max(seen, tonumber(redis.call('ZSCORE', marks, '!seen') or 0))
local readTo = math.max(read, tonumber(redis.call('ZSCORE', marks, '!read') or 0))
redis.call('ZREM', marks, '!seen', '!read')
-- One by one, so that it never has more members than a listpack.
for at = 1, #entries, 2 do
  redis.call('ZADD', marks, 'GT', entries[at], entries[at + 1])
  if redis.call('ZCARD', marks) > kept then readTo = math.max(readTo, tonumber(redis.call('ZPOPMIN', marks)[2])) end
end
redis.call('ZREMRANGEBYSCORE', marks, '-inf', readTo)
redis.call('ZADD', marks, seenTo, '!seen', readTo, '!read')
redis.call('PEXPIRE', marks, keepMs)
return {'ok'}
