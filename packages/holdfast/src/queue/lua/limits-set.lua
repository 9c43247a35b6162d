--- Set the limits of the whole queue, or take them off; from the next claim on.
-- @class idempotent
-- @include now
-- @include idle
-- @key jobs
-- @key control
-- @key workers
-- @key idle
-- @arg concurrency int   0: none
-- @arg rate int          0: none
-- @arg perMs int
-- @arg channel text
-- @result ok
local head = string.sub(jobs, 1, -5)
redis.call('HDEL', control, 'concurrency', 'running', 'rate', 'perMs')
if concurrency > 0 then
  local running = 0
  for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
    running = running + redis.call('ZCARD', head .. 'active:' .. worker)
  end
  redis.call('HSET', control, 'concurrency', concurrency, 'running', running)
end
if rate > 0 then
  redis.call('HSET', control, 'rate', rate, 'perMs', perMs)
else
  redis.call('DEL', head .. 'rate')
end
if concurrency > 0 or rate > 0 or redis.call('EXISTS', head .. 'known') == 1 then
  redis.call('HSET', control, 'rules', '1')
elseif redis.call('HEXISTS', control, 'until') == 0 then
  redis.call('HDEL', control, 'rules')
end
wakeWorkers(idle, channel, 1000)
return 'ok'
