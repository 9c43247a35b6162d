-- Takes a job that waits or is delayed out of its place. Needs the includes `groups` and `ghosts`.
local function unplace(jobs, id, record)
  local head = string.sub(jobs, 1, -5)
  if redis.call('ZREM', head .. 'delayed', string.sub(record, 14, 14) .. id) == 1 then return end
  if redis.call('HDEL', head .. 'blocked', id) == 1 then return end
  if tonumber(string.sub(record, 14, 14)) > 3 then return leaveGroup(head, groupOf(record), id) end
  local options = optionsOf(record)
  if isRerun(head, id, options) then
    redis.call('HDEL', head .. 'reruns', options.u)
  else
    redis.call('HINCRBY', head .. 'ghosts', id, 1)
  end
end
