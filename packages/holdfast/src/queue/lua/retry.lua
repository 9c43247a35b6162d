--- Let jobs run again that are dead, or that ended well and are kept: at the end of their lanes, with all their attempts.
-- One whose unique key, or whose id, another job has by now stays what it is: `duplicate`.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include events
-- @include groups
-- @include place
-- @include pending
-- @include waits-for
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key dead
-- @key unique
-- @key completed
-- @key kept
-- @key idle
-- @key blocked
-- @arg channel text
-- @arg ids... text
-- @returns list<text>
-- Takes its unique key again, where it has one.
local function takesKey(id, record)
  local key = optionsOf(record).u
  if not key then return true end
  local holder = redis.call('HGET', unique, key)
  if holder and holder ~= id and redis.call('HEXISTS', jobs, holder) == 1 then return false end
  redis.call('HSET', unique, key, id)
  return true
end
local answers, again = {}, 0
for at, id in ipairs(ids) do
  local record = redis.call('HGET', jobs, id)
  local isDead = record and redis.call('ZSCORE', dead, id)
  local isKept = not isDead and redis.call('ZSCORE', completed, id)
  local stored = isDead and record or isKept and redis.call('HGET', kept, 'r' .. id)
  if not stored then
    answers[at] = 'missing'
  elseif record and not isDead or not takesKey(id, stored) then
    answers[at] = 'duplicate'
  else
    local left = 0
    if isDead then
      redis.call('ZREM', dead, id)
      local diedWaiting = redis.call('HEXISTS', meta, 'r' .. id) == 1
      if redis.call('HEXISTS', meta, 'k' .. id) == 1 then left = waitsFor(jobs, meta, id) end
      if not diedWaiting then left = 0 end
      redis.call('HDEL', meta, 'f' .. id, 'c' .. id, 'p' .. id, 'r' .. id, 's' .. id)
      redis.call('DEL', string.sub(jobs, 1, -5) .. 'steps:' .. id)
    else
      redis.call('ZREM', completed, id)
      redis.call('HDEL', kept, 'r' .. id, 'o' .. id, 'l' .. id)
      redis.call('HSET', jobs, id, stored)
    end
    redis.call('DEL', string.sub(jobs, 1, -5) .. 'result:' .. id)
    if left > 0 then
      -- For those that have not ended it waits still.
      redis.call('HSET', blocked, id, left)
      redis.call('ZADD', blocked .. 'At', 'NX', now(), id)
    else
      local isGrouped = tonumber(string.sub(stored, 14, 14)) > 3
      -- In strict order it is still the one before all others.
      local isHead = isGrouped and leftHead(string.sub(jobs, 1, -5), groupOf(stored), id)
      if place(jobs, {urgent, normal, low}, stored, id, isHead) then again = again + 1 end
    end
    noteEvent(jobs, channel, 'retried', id, stored)
    answers[at] = 'ok'
  end
end
if again > 0 then wakeWorkers(idle, channel, again) end
return answers
