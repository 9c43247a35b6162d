--- A worker goes: what it still holds waits again, in front, and uses up no attempt.
-- @class idempotent
-- @include now
-- @include lanes
-- @include idle
-- @key workers
-- @key active
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @key idle
-- @arg worker text
-- @arg channel text
-- @arg wakeKey text
-- @result ok released:int
local ids = redis.call('ZRANGE', active, 0, 999)
-- Before what needs memory, so that it is done also when memory is full.
redis.call('DEL', active)
local released = 0
for at = #ids, 1, -1 do
  local record = redis.call('HGET', jobs, ids[at])
  if record then
    redis.call('LPUSH', laneOf(record, {urgent, normal, low}), ids[at])
    released = released + 1
  end
end
redis.call('ZREM', workers, worker)
redis.call('ZREM', idle, wakeKey)
if released > 0 then wakeWorkers(idle, channel, released) end
return {'ok', released}
