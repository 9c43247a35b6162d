-- A job that is given up but has something to undo runs once more for that: whether it is to. `why` is empty where its failures say it. From then
-- on its crashes in `meta` count a million more, by which its next run knows.
local function undoes(jobs, meta, id, why)
  if redis.call('HEXISTS', meta, 's' .. id) == 0 then return false end
  local steps = string.sub(jobs, 1, -5) .. 'steps:' .. id
  if redis.call('HEXISTS', steps, 'u') == 0 or redis.call('HSETNX', steps, '!', why) == 0 then return false end
  redis.call('HINCRBY', meta, 'c' .. id, 1000000)
  redis.call('HDEL', meta, 'x' .. id)
  return true
end
-- It was given up, and undoes what it did, or is to.
local function isUndoing(jobs, meta, id)
  return redis.call('HEXISTS', meta, 's' .. id) == 1
    and redis.call('HEXISTS', string.sub(jobs, 1, -5) .. 'steps:' .. id, '!') == 1
end
