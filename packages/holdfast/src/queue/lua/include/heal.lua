-- What the loss of a key would leave behind is looked for now and then, a few groups and runs at a time. Needs the includes `groups` and `runs`.
local MAX_HEALED = 20
local function healRules(jobs, workers)
  local head = string.sub(jobs, 1, -5)
  local control, known = head .. 'control', head .. 'known'
  if redis.call('HEXISTS', control, 'concurrency') == 1 then
    local running = 0
    for _, worker in ipairs(redis.call('ZRANGE', workers, 0, -1)) do
      running = running + redis.call('ZCARD', head .. 'active:' .. worker)
    end
    redis.call('HSET', control, 'running', running)
  end
  local lost = {}
  local places = redis.call('HRANDFIELD', head .. 'places', MAX_HEALED, 'WITHVALUES')
  for at = 1, #places, 2 do
    local id = string.sub(places[at], 2)
    local worker = string.sub(places[at], 1, 1) == 'i' and string.match(places[at + 1], '^[^\n]*')
    if worker and not redis.call('ZSCORE', head .. 'active:' .. worker, id) then lost[#lost + 1] = id end
  end
  endRuns(jobs, lost)
  local heads = redis.call('HRANDFIELD', head .. 'heads', MAX_HEALED, 'WITHVALUES')
  for at = 1, #heads, 2 do
    local isThere = redis.call('ZSCORE', head .. 'dead', heads[at + 1]) and redis.call('HEXISTS', jobs, heads[at + 1]) == 1
    if not isThere then redis.call('HDEL', head .. 'heads', heads[at]) end
  end
  for _, group in ipairs(redis.call('ZRANGE', head .. 'groups', 0, MAX_HEALED - 1)) do
    redis.call('ZADD', known, 0, group)
    if redis.call('EXISTS', head .. 'group:' .. group) == 0 then restGroup(head, group) end
  end
  local some = redis.call('ZRANDMEMBER', known, MAX_HEALED)
  for _, group in ipairs(some) do
    if not readyGroup(head, group) then forgetGroup(head, group) end
  end
  -- The sum is exact where there are few groups; among many a difference of a lost group's jobs stays until there are fewer.
  if redis.call('ZCARD', known) <= MAX_HEALED then
    local grouped = 0
    for _, group in ipairs(redis.call('ZRANGE', known, 0, -1)) do
      grouped = grouped + redis.call('ZCARD', head .. 'group:' .. group)
    end
    redis.call('HSET', control, 'grouped', grouped)
  end
end
