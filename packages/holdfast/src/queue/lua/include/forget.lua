-- What is kept beside a record has the record's id behind one letter: `f` how its runs failed, `c` how often its worker died,
-- `r` why it is dead without a run, `k` for how many others it waits, or has waited, `s` that it has steps, `w` the signal that it waits for,
-- `e` that one of those died before it waited, `p` its progress, `l` its logs, `x` that it is cancelled while it runs.
-- `meta` may be false, where it is known that there is none.
local function forget(jobs, meta, ids)
  redis.call('HDEL', jobs, unpack(ids))
  if not meta or redis.call('EXISTS', meta) == 0 then return end
  for _, id in ipairs(ids) do
    local own = redis.call(
      'HDEL', meta, 'f' .. id, 'c' .. id, 'r' .. id, 'k' .. id, 'e' .. id, 's' .. id, 'w' .. id, 'p' .. id, 'l' .. id, 'x' .. id
    )
    if own > 0 then
      local head = string.sub(jobs, 1, -5)
      redis.call('UNLINK', head .. 'children:' .. id, head .. 'steps:' .. id)
    end
  end
end
-- A key belongs to the job that took it last: one that is over does not free another's. Where a job waits for the end of
-- this one (`rerun`), it takes the key and is put in its lane; true: so there is one more that waits.
local function freeUnique(unique, key, id)
  if key == '' or redis.call('HGET', unique, key) ~= id then return false end
  local head = string.sub(unique, 1, -7)
  local next_ = redis.call('HGET', head .. 'reruns', key)
  if next_ then redis.call('HDEL', head .. 'reruns', key) end
  local record = next_ and redis.call('HGET', head .. 'jobs', next_)
  if not record then
    redis.call('HDEL', unique, key)
    return false
  end
  redis.call('HSET', unique, key, next_)
  redis.call('RPUSH', head .. ({'high', 'normal', 'low'})[tonumber(string.sub(record, 14, 14))], next_)
  return true
end
