-- Takes the right to load away from whoever has it, and wakes those who wait for the load.
local function supersede(value, lease, wakeChannel)
  local waiters = redis.call('HGET', lease, 'waiters')
  redis.call('DEL', lease)
  if waiters then redis.call('PUBLISH', wakeChannel, value) end
end
