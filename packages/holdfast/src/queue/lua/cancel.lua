--- Cancel jobs: one that waits or is delayed is over at once; one that runs is marked, and its worker is told.
-- `outcome` is for those who wait for the result; where it lies there already, a repetition is answered like the first time.
-- A dead job is over already: `missing`.
-- @class idempotent
-- @include now
-- @include idle
-- @include forget
-- @include worker-of
-- @include options
-- @include events
-- @include groups
-- @include ghosts
-- @include unplace
-- @include letters
-- @include cancelled
-- @key jobs
-- @key meta
-- @key dead
-- @key unique
-- @key workers
-- @key idle
-- @key letters
-- @arg channel text
-- @arg keepMs int       for how long an outcome waits to be read
-- @arg outcome bytes
-- @arg ids... text
-- @returns list<text>
local results, answers = string.sub(jobs, 1, -5) .. 'result:', {}
for at, id in ipairs(ids) do
  local record = redis.call('HGET', jobs, id)
  local worker = record and workerOf(id, workers, jobs)
  if worker then
    markCancelled(jobs, meta, channel, id, worker, keepMs .. ':' .. outcome)
    answers[at] = 'running'
  elseif record and not redis.call('ZSCORE', dead, id) then
    unplace(jobs, id, record)
    if freeUnique(unique, optionsOf(record).u or '', id) then wakeWorkers(idle, channel, 1) end
    tellParents(letters, record, 'd', '')
    forget(jobs, meta, {id})
    redis.call('SET', results .. id, outcome, 'PX', keepMs)
    redis.call('PUBLISH', channel, results .. id)
    noteEvent(jobs, channel, 'cancelled', id, record)
    answers[at] = 'ok'
  else
    answers[at] = not record and redis.call('GET', results .. id) == outcome and 'ok' or 'missing'
  end
end
return answers
