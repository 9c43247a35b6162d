--- Give back a job that did not end well: to run again, now or later, or to the dead letters.
-- `stale`: the claim is over, and nothing changes.
-- @class unsafe
-- @include now
-- @include lanes
-- @include idle
-- @key active
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key dead
-- @key unique
-- @key idle
-- @key result
-- @arg id text
-- @arg fence int
-- @arg fate text       again, dead
-- @arg delayMs int     until it runs again
-- @arg info bytes      what is remembered of its failures
-- @arg uniqueKey text  or empty
-- @arg outcome bytes   for those who wait for it, of a job that is dead; or empty
-- @arg keepMs int
-- @arg channel text
-- @result ok
-- @result stale
local held = redis.call('ZSCORE', active, id)
if not held or tonumber(held) ~= fence then return 'stale' end
redis.call('ZREM', active, id)
local record = redis.call('HGET', jobs, id)
if not record then return 'stale' end
if info ~= '' then redis.call('HSET', meta, id, info) end
if fate == 'dead' then
  if uniqueKey ~= '' and redis.call('HGET', unique, uniqueKey) == id then redis.call('HDEL', unique, uniqueKey) end
  redis.call('ZADD', dead, now(), id)
  if outcome ~= '' then
    redis.call('SET', result, outcome, 'PX', keepMs)
    redis.call('PUBLISH', channel, result)
  end
elseif delayMs > 0 then
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
  local dueMs = now() + delayMs
  redis.call('ZADD', delayed, dueMs, string.sub(record, 14, 14) .. id)
  if not first or dueMs < tonumber(first) then wakeWorkers(idle, channel, 1) end
else
  -- In front, where it was: its turn had come.
  redis.call('LPUSH', laneOf(record, {urgent, normal, low}), id)
  wakeWorkers(idle, channel, 1)
end
return 'ok'
