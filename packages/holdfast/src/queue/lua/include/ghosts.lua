-- A job that is removed or moved leaves its id behind in its lane: to take it out would read the lane. `ghosts` counts such
-- ids, so that one that comes up twice is run once. Needs the includes `options` and `worker-of`.
-- Whether it waits for the end of the job that has its unique key.
local function isRerun(head, id, options)
  return options.m == 'r' and redis.call('HGET', head .. 'reruns', options.u) == id
end
local function dropGhost(ghosts, id)
  if redis.call('HINCRBY', ghosts, id, -1) <= 0 then redis.call('HDEL', ghosts, id) end
end
-- Those of `ids`, taken from `lane` (1 to 3), whose jobs wait there. `taken` has those that this call took before.
local function genuine(jobs, lane, ids, taken)
  local head = string.sub(jobs, 1, -5)
  local ghosts = head .. 'ghosts'
  if redis.call('EXISTS', ghosts) == 0 then return ids end
  local counted, found = redis.call('HMGET', ghosts, unpack(ids)), {}
  for at, id in ipairs(ids) do
    local isHere = true
    if counted[at] then
      local record = redis.call('HGET', jobs, id)
      isHere = record and string.sub(record, 14, 14) == tostring(lane) and not taken[id]
        and not redis.call('ZSCORE', head .. 'delayed', lane .. id) and not redis.call('ZSCORE', head .. 'dead', id)
        and redis.call('HEXISTS', head .. 'blocked', id) == 0
        and not workerOf(id, head .. 'workers', jobs) and not isRerun(head, id, optionsOf(record)) and not isUnhandled(head, id, record)
      if not isHere then dropGhost(ghosts, id) end
      if isHere then taken[id] = true end
    end
    if isHere then found[#found + 1] = id end
  end
  return found
end
