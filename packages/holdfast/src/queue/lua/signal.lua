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
-- @key idle
-- @arg channel text
-- @arg id text
-- @arg name text
-- @arg value bytes
-- @result ok
-- @result missing
local record = redis.call('HGET', jobs, id)
if not record then return 'missing' end
redis.call('HSET', meta, 's' .. id, 1)
redis.call('HSET', steps, 'g' .. name, value)
if redis.call('HGET', meta, 'w' .. id) == name then
  redis.call('HDEL', meta, 'w' .. id)
  if redis.call('ZREM', delayed, string.sub(record, 14, 14) .. id) == 1 then
    if place(jobs, {urgent, normal, low}, record, id) then wakeWorkers(idle, channel, 1) end
  end
end
return 'ok'
