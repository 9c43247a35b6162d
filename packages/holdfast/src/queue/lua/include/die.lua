-- A job dies with one that it waits for, unless it has something to undo: then it is true that it is to run again.
-- Needs the includes `now`, `options`, `events`, `deaths`, `letters`, `forget`, `give-up`.
local function dieWith(keys, channel, results, id, record, name, outcome)
  local why = 'the job that it waited for ' .. (outcome == CANCELLED and 'was cancelled: ' or 'is dead: ') .. name
  if undoes(keys.jobs, keys.meta, id, why) then return true end
  redis.call('HSET', keys.meta, 'r' .. id, why)
  reportDeath(keys.jobs, keys.meta, channel, id, record)
  redis.call('ZADD', keys.dead, now(), id)
  freeUnique(keys.unique, optionsOf(record).u or '', id)
  tellParents(keys.letters, record, 'd', '')
  redis.call('PUBLISH', channel, results .. id)
  noteEvent(keys.jobs, channel, 'dead', id, record)
  return false
end
