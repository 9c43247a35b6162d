-- What is kept of jobs that are over, by count (-1: any) and age (0: any). Trimmed by those that come: more at a time than come.
local MAX_TRIMMED = 20
local function surplus(ended, count, ageMs)
  local old = ageMs > 0 and redis.call('ZCOUNT', ended, '-inf', now() - ageMs) or 0
  local more = count >= 0 and redis.call('ZCARD', ended) - count or 0
  local most = math.min(math.max(old, more), MAX_TRIMMED)
  if most <= 0 then return {} end
  local ids = redis.call('ZRANGE', ended, 0, most - 1)
  redis.call('ZREM', ended, unpack(ids))
  return ids
end
local function bury(jobs, meta, dead, id, count, ageMs)
  redis.call('ZADD', dead, now(), id)
  local over = surplus(dead, count, ageMs)
  if #over == 0 then return end
  for _, gone in ipairs(over) do
    -- Its group no longer waits for it.
    local record = redis.call('HGET', jobs, gone)
    if record and tonumber(string.sub(record, 14, 14)) > 3 then
      local head, group = string.sub(jobs, 1, -5), groupOf(record)
      if leftHead(head, group, gone) then readyGroup(head, group) end
    end
  end
  forget(jobs, meta, over)
end
local function dropKept(kept, ids)
  for _, id in ipairs(ids) do redis.call('HDEL', kept, 'r' .. id, 'o' .. id, 'l' .. id) end
end
-- Of a job that ended well: its record, its outcome and its logs, until there are `count` later ones or `ageMs` are over.
local function keep(jobs, meta, id, record, outcome, count, ageMs)
  local head = string.sub(jobs, 1, -5)
  local completed, kept = head .. 'completed', head .. 'kept'
  redis.call('ZADD', completed, now(), id)
  redis.call('HSET', kept, 'r' .. id, record, 'o' .. id, outcome)
  local logs = redis.call('HGET', meta, 'l' .. id)
  if logs then redis.call('HSET', kept, 'l' .. id, logs) else redis.call('HDEL', kept, 'l' .. id) end
  dropKept(kept, surplus(completed, count, ageMs))
  -- Also where no more jobs end.
  for _, key in ipairs({completed, kept}) do
    if ageMs > 0 then redis.call('PEXPIRE', key, ageMs) else redis.call('PERSIST', key) end
  end
end
