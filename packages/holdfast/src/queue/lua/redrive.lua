--- Let dead jobs run again, at the end of their lanes and with all their attempts.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include groups
-- @include place
-- @include waits-for
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key dead
-- @key idle
-- @key blocked
-- @arg channel text
-- @arg ids... text
-- @returns int
local redriven = 0
for _, id in ipairs(ids) do
  if redis.call('ZREM', dead, id) == 1 then
    local record = redis.call('HGET', jobs, id)
    if record then
      local left, diedWaiting = 0, redis.call('HEXISTS', meta, 'r' .. id) == 1
      if redis.call('HEXISTS', meta, 'k' .. id) == 1 then left = waitsFor(jobs, id) end
      redis.call('HDEL', meta, 'f' .. id, 'c' .. id, 'r' .. id, 's' .. id)
      redis.call('DEL', string.sub(jobs, 1, -5) .. 'steps:' .. id)
      if diedWaiting and left > 0 then
        -- For those that have not ended it waits still.
        redis.call('HSET', blocked, id, left)
      else
        local isGrouped = tonumber(string.sub(record, 14, 14)) > 3
        -- In strict order it is still the one before all others.
        local isHead = isGrouped and leftHead(string.sub(jobs, 1, -5), groupOf(record), id)
        place(jobs, {urgent, normal, low}, record, id, isHead)
      end
      redriven = redriven + 1
    end
  end
end
if redriven > 0 then wakeWorkers(idle, channel, redriven) end
return redriven
