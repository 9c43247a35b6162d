--- Let dead jobs run again, at the end of their lanes and with all their attempts.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include groups
-- @include place
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key dead
-- @key idle
-- @arg channel text
-- @arg ids... text
-- @returns int
local redriven = 0
for _, id in ipairs(ids) do
  if redis.call('ZREM', dead, id) == 1 then
    local record = redis.call('HGET', jobs, id)
    if record then
      redis.call('HDEL', meta, 'f' .. id, 'c' .. id, 'r' .. id, 's' .. id)
      redis.call('DEL', string.sub(jobs, 1, -5) .. 'steps:' .. id)
      place(jobs, {urgent, normal, low}, record, id)
      redriven = redriven + 1
    end
  end
end
if redriven > 0 then wakeWorkers(idle, channel, redriven) end
return redriven
