-- A job that is removed or moved leaves its id behind in its lane: to take it out would read the lane. `ghosts` counts such
-- ids, so that one that comes up twice is run once; under the empty id, all of them. Needs the includes `options` and `worker-of`.
-- One call passes over so many, which takes about a millisecond.
local MAX_PASSED = 150
-- Whether it waits for the end of the job that has its unique key.
local function isRerun(head, id, options)
  return options.m == 'r' and redis.call('HGET', head .. 'reruns', options.u) == id
end
local function countGhosts(head, count)
  if redis.call('HINCRBY', head .. 'ghosts', '', count) <= 0 then redis.call('HDEL', head .. 'ghosts', '') end
end
local function addGhost(head, id)
  redis.call('HINCRBY', head .. 'ghosts', id, 1)
  countGhosts(head, 1)
end
local function dropGhost(head, id)
  local left = redis.call('HINCRBY', head .. 'ghosts', id, -1)
  if left <= 0 then redis.call('HDEL', head .. 'ghosts', id) end
  if left >= 0 then countGhosts(head, -1) end
end
-- Where all lanes are empty there is none.
local function healGhosts(head, lanes)
  if redis.call('EXISTS', head .. 'ghosts') == 0 or redis.call('EXISTS', unpack(lanes)) > 0 then return end
  redis.call('UNLINK', head .. 'ghosts')
end
-- Those of `ids`, taken from `lane` (1 to 3), whose jobs wait there. `taken` has those that this call took before.
local function genuine(jobs, lane, ids, taken)
  local head = string.sub(jobs, 1, -5)
  if redis.call('EXISTS', head .. 'ghosts') == 0 then return ids end
  local counted, found, gone = redis.call('HMGET', head .. 'ghosts', unpack(ids)), {}, {}
  for at, id in ipairs(ids) do
    local isHere = true
    if counted[at] then
      local record = redis.call('HGET', jobs, id)
      if not record and counted[at] == '1' then
        isHere, gone[#gone + 1] = false, id
      else
        isHere = record and string.sub(record, 14, 14) == tostring(lane) and not taken[id]
          and not redis.call('ZSCORE', head .. 'delayed', lane .. id) and not redis.call('ZSCORE', head .. 'dead', id)
          and redis.call('HEXISTS', head .. 'blocked', id) == 0
          and not workerOf(id, head .. 'workers', jobs) and not isRerun(head, id, optionsOf(record)) and not isUnhandled(head, id, record)
        if not isHere then dropGhost(head, id) end
        if isHere then taken[id] = true end
      end
    end
    if isHere then found[#found + 1] = id end
  end
  if #gone > 0 then
    redis.call('HDEL', head .. 'ghosts', unpack(gone))
    countGhosts(head, -#gone)
  end
  return found
end
