-- Runs of these jobs have ended, or were called off: what they held of the queue's and of their groups' limits is free, once. How many jobs
-- that lets in. Needs the include `groups`.
local function endRuns(jobs, ids)
  local head = string.sub(jobs, 1, -5)
  local rules, concurrency, running = unpack(redis.call('HMGET', head .. 'control', 'rules', 'concurrency', 'running'))
  if not rules or #ids == 0 then return 0 end
  local free = 0
  if concurrency then
    running = tonumber(running or 0)
    redis.call('HSET', head .. 'control', 'running', math.max(running - #ids, 0))
    if running >= tonumber(concurrency) then free = #ids end
  end
  local fields = {}
  for at, id in ipairs(ids) do fields[at] = 'i' .. id end
  local places, over, groups, counts = redis.call('HMGET', head .. 'places', unpack(fields)), {}, {}, {}
  for at, place in ipairs(places) do
    if place then
      over[#over + 1] = fields[at]
      local group = string.sub(place, string.find(place, '\n', 1, true) + 1)
      if not counts[group] then groups[#groups + 1] = group end
      counts[group] = (counts[group] or 0) + 1
    end
  end
  if #over > 0 then redis.call('HDEL', head .. 'places', unpack(over)) end
  for _, group in ipairs(groups) do
    if redis.call('HINCRBY', head .. 'places', 'r' .. group, -counts[group]) <= 0 then
      redis.call('HDEL', head .. 'places', 'r' .. group)
    end
    local isReady, isNew = readyGroup(head, group)
    if isNew then free = free + counts[group] end
    if not isReady then forgetGroup(head, group) end
  end
  return free
end
