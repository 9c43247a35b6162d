--- How many jobs are in each state, and the time at which the oldest waiting one was added (0: none waits).
-- @class read
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key dead
-- @key workers
-- @key paused
-- @result ok urgent:int normal:int low:int delayed:int dead:int total:int workers:int paused:bool oldestMs:int nowMs:int
-- @include now
local oldest
for _, lane in ipairs({urgent, normal, low}) do
  local id = redis.call('LINDEX', lane, 0)
  local record = id and redis.call('HGET', jobs, id)
  local added = record and tonumber(string.sub(record, 1, 13))
  if added and (not oldest or added < oldest) then oldest = added end
end
return {
  'ok', redis.call('LLEN', urgent), redis.call('LLEN', normal), redis.call('LLEN', low), redis.call('ZCARD', delayed),
  redis.call('ZCARD', dead), redis.call('HLEN', jobs), redis.call('ZCOUNT', workers, now(), '+inf'),
  redis.call('EXISTS', paused), oldest or 0, now(),
}
