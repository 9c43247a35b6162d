-- Takes a job that waits or is delayed out of its place. Needs the includes `groups`, `ghosts` and `options`.
local function unplace(jobs, id, record)
  local head = string.sub(jobs, 1, -5)
  if redis.call('ZREM', head .. 'delayed', string.sub(record, 14, 14) .. id) == 1 then return end
  if redis.call('HDEL', head .. 'blocked', id) == 1 then
    redis.call('ZREM', head .. 'blockedAt', id)
    return
  end
  if isUnhandled(head, id, record) then
    local name = optionsOf(record).n or ''
    local key = head .. 'unhandled:' .. name
    redis.call('ZREM', key, id)
    local left = redis.call('ZCARD', key)
    if left == 0 then redis.call('HDEL', head .. 'unhandled', name) else redis.call('HSET', head .. 'unhandled', name, left) end
    return
  end
  if tonumber(string.sub(record, 14, 14)) > 3 then return leaveGroup(head, groupOf(record), id) end
  local options = optionsOf(record)
  if isRerun(head, id, options) then
    redis.call('HDEL', head .. 'reruns', options.u)
  else
    addGhost(head, id)
  end
end
