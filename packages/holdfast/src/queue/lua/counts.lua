--- How many jobs are in each state, and the time at which the oldest waiting one was added (0: none waits).
-- @class read
-- @include now
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key dead
-- @key completed
-- @key workers
-- @key control
-- @key blocked
-- @arg deadAgeMs int  what died longer ago is not kept; 0: for ever
-- @arg keepAgeMs int  the same of what ended well
-- @result ok waiting:int delayed:int active:int dead:int completed:int blocked:int workers:int unhandled:int paused:bool oldestMs:int nowMs:int
local waiting, oldest = 0, nil
local head = string.sub(jobs, 1, -5)
local next_ = redis.call('ZRANGE', head .. 'groups', 0, 0)[1]
local heads = {next_ and redis.call('ZRANGE', head .. 'group:' .. next_, 0, 0)[1] or ''}
for _, lane in ipairs({urgent, normal, low}) do
  waiting = waiting + redis.call('LLEN', lane)
  -- Some may have been removed.
  for _, id in ipairs(redis.call('LRANGE', lane, 0, 9)) do heads[#heads + 1] = id end
end
for _, id in ipairs(heads) do
  local record = redis.call('HGET', jobs, id)
  local added = record and tonumber(string.sub(record, 1, 13))
  if added and (not oldest or added < oldest) then oldest = added end
end
waiting = math.max(waiting - tonumber(redis.call('HGET', head .. 'ghosts', '') or 0), 0) + math.max(tonumber(redis.call('HGET', control, 'grouped') or 0), 0)
local unhandled = 0
for _, count in ipairs(redis.call('HVALS', head .. 'unhandled')) do unhandled = unhandled + tonumber(count) end
local active = 0
for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
  active = active + redis.call('ZCARD', head .. 'active:' .. worker)
end
local function kept(ended, ageMs)
  if ageMs == 0 then return redis.call('ZCARD', ended) end
  return redis.call('ZCOUNT', ended, '(' .. string.format('%.0f', now() - ageMs), '+inf')
end
return {
  'ok', waiting, redis.call('ZCARD', delayed), active, kept(dead, deadAgeMs), kept(completed, keepAgeMs),
  redis.call('HLEN', blocked), redis.call('ZCOUNT', workers, now(), '+inf'), unhandled,
  redis.call('HEXISTS', control, 'paused'),
  oldest or 0, now(),
}
