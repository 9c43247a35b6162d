-- What is kept beside a record has the record's id behind one letter: `f` how its runs failed, `c` how often its worker died,
-- `r` why it is dead without a run, `k` that it has waited for others, `s` that it has steps, `w` the signal that it waits for.
local function forget(jobs, meta, ids)
  redis.call('HDEL', jobs, unpack(ids))
  if redis.call('EXISTS', meta) == 0 then return end
  for _, id in ipairs(ids) do
    if redis.call('HDEL', meta, 'f' .. id, 'c' .. id, 'r' .. id, 'k' .. id, 's' .. id, 'w' .. id) > 0 then
      local head = string.sub(jobs, 1, -5)
      redis.call('DEL', head .. 'children:' .. id, head .. 'steps:' .. id)
    end
  end
end
-- A key belongs to the job that took it last: one that is over does not free another's.
local function freeUnique(unique, key, id)
  if key ~= '' and redis.call('HGET', unique, key) == id then redis.call('HDEL', unique, key) end
end
