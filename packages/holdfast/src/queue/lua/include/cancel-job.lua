-- Cancels a job that is not over: `ok`, it is over now; `running`, its worker is told, or it runs once more to undo what it did; nil: it is dead.
-- `keys`: jobs, meta, dead, unique, workers, idle, letters, and `lanes`, a list. An outcome that is empty is nobody's to read. Needs the includes
-- `now`, `idle`, `forget`, `worker-of`, `options`, `events`, `groups`, `place`, `ghosts`, `unplace`, `letters`, `give-up` and `cancelled`.
local function cancelJob(keys, channel, id, record, keepMs, outcome)
  local jobs, meta = keys.jobs, keys.meta
  local worker = workerOf(id, keys.workers, jobs)
  -- What undoes is not called off: the rest of it would stay.
  if worker and isUndoing(jobs, meta, id) then return 'running' end
  if worker then
    markCancelled(jobs, meta, channel, id, worker, string.format('%.0f', keepMs) .. ':' .. outcome)
    return 'running'
  end
  if redis.call('ZSCORE', keys.dead, id) then return nil end
  if isUndoing(jobs, meta, id) then return 'running' end
  unplace(jobs, id, record)
  if undoes(jobs, meta, id, 'it was cancelled') then
    if place(jobs, keys.lanes, record, id, true) then wakeWorkers(keys.idle, channel, 1) end
    return 'running'
  end
  if freeUnique(keys.unique, optionsOf(record).u or '', id) then wakeWorkers(keys.idle, channel, 1) end
  tellParents(keys.letters, record, 'd', CANCELLED)
  forget(jobs, meta, {id})
  local result = string.sub(jobs, 1, -5) .. 'result:' .. id
  redis.call('SET', result, outcome, 'PX', keepMs)
  redis.call('PUBLISH', channel, result)
  noteEvent(jobs, channel, 'cancelled', id, record)
  return 'ok'
end
