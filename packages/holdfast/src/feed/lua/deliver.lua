--- Adds an activity to a group of a named feed, and moves the group up.
-- @class idempotent
-- @key named   sorted set: activities and groups by time (us)
-- @key group   sorted set: the newest activities of the group by time, and `!n`: how many there were besides
-- @arg id bytes
-- @arg score int
-- @arg member bytes   the group's in `named`
-- @arg size int       of the feed
-- @arg kept int       of the group
-- @arg keepMs int
-- @result ok
local others = tonumber(redis.call('ZSCORE', group, '!n') or -1)
-- Older than all that is kept, and not only on its way for longer than others: it may have been here before.
local isOld = false
if others > 0 then
  local oldest = tonumber(redis.call('ZRANGE', group, 1, 1, 'WITHSCORES')[2] or 0)
  local newest = tonumber(redis.call('ZRANGE', group, -1, -1, 'WITHSCORES')[2])
  isOld = score < oldest and score < newest - 60000000
end
if others < 0 then redis.call('ZADD', group, 0, '!n') end
if not isOld and redis.call('ZADD', group, score, id) == 1 then
  local extra = redis.call('ZREMRANGEBYRANK', group, 1, -kept - 1)
  if extra > 0 then redis.call('ZINCRBY', group, extra, '!n') end
end
local newest = redis.call('ZRANGE', group, -1, -1, 'WITHSCORES')
redis.call('ZADD', named, newest[2], member)
redis.call('ZREMRANGEBYRANK', named, 0, -size - 1)
redis.call('PEXPIRE', named, keepMs)
redis.call('PEXPIRE', group, keepMs)
return {'ok'}
