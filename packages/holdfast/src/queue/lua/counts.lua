--- How many jobs are in each state, and the time at which the oldest waiting one was added (0: none waits).
-- @class read
-- @include now
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key dead
-- @key workers
-- @key control
-- @key blocked
-- @result ok waiting:int delayed:int active:int dead:int blocked:int workers:int paused:bool oldestMs:int nowMs:int
local waiting, oldest = 0, nil
for _, lane in ipairs({urgent, normal, low}) do
  waiting = waiting + redis.call('LLEN', lane)
  local id = redis.call('LINDEX', lane, 0)
  local record = id and redis.call('HGET', jobs, id)
  local added = record and tonumber(string.sub(record, 1, 13))
  if added and (not oldest or added < oldest) then oldest = added end
end
local active, head = 0, string.sub(jobs, 1, -5) .. 'active:'
for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
  active = active + redis.call('ZCARD', head .. worker)
end
return {
  'ok', waiting, redis.call('ZCARD', delayed), active, redis.call('ZCARD', dead),
  redis.call('HLEN', blocked), redis.call('ZCOUNT', workers, now(), '+inf'), redis.call('HEXISTS', control, 'paused'),
  oldest or 0, now(),
}
