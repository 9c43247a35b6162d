--- Keep a signal for a job, and let the job run if it waits for it.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include groups
-- @include place
-- @key jobs
-- @key meta
-- @key steps
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key dead
-- @key idle
-- @arg channel text
-- @arg id text
-- @arg name text
-- @arg value bytes
-- @result ok
-- @result missing
local record = redis.call('HGET', jobs, id)
if not record or redis.call('ZSCORE', dead, id) then return 'missing' end
redis.call('HSET', meta, 's' .. id, 1)
redis.call('HSET', steps, 'g' .. name, value)
-- When its wait is over, and for what it waits: it may have gone on without it, and be delayed for something else.
local dueMs, waitsFor = string.match(redis.call('HGET', meta, 'w' .. id) or '', '^(%d+) (.*)$')
local member = string.sub(record, 14, 14) .. id
if waitsFor == name and tonumber(dueMs) == tonumber(redis.call('ZSCORE', delayed, member) or 0) then
  redis.call('HDEL', meta, 'w' .. id)
  redis.call('ZREM', delayed, member)
  if place(jobs, {urgent, normal, low}, record, id) then wakeWorkers(idle, channel, 1) end
end
return 'ok'
