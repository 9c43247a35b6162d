-- A job that is cancelled while it runs is marked in `meta` (`x<id>`: for how many milliseconds its outcome is kept, a colon,
-- the outcome), and its worker in `control` (`x<worker>`: since when). However the run ends, the job is cancelled then.
local function cancelsOf(jobs, active)
  local head = string.sub(jobs, 1, -5)
  return redis.call('HGET', head .. 'control', 'x' .. string.sub(active, #head + 8))
end
-- Tells those who wait that the job is cancelled, if it is.
local function wasCancelled(jobs, meta, channel, id)
  local mark = redis.call('HGET', meta, 'x' .. id)
  if not mark then return false end
  local colon = string.find(mark, ':', 1, true)
  local result = string.sub(jobs, 1, -5) .. 'result:' .. id
  redis.call('SET', result, string.sub(mark, colon + 1), 'PX', string.sub(mark, 1, colon - 1))
  redis.call('PUBLISH', channel, result)
  return true
end
-- Marks one that runs, and wakes its worker. A mark that is there stays.
local function markCancelled(jobs, meta, channel, id, worker, mark)
  local head = string.sub(jobs, 1, -5)
  redis.call('HSETNX', meta, 'x' .. id, mark)
  redis.call('HSET', head .. 'control', 'x' .. worker, string.format('%.0f', nowMicros()))
  redis.call('PUBLISH', channel, head .. 'cancel:' .. worker)
end
