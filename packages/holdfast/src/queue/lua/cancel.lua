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
-- @include place
-- @include ghosts
-- @include unplace
-- @include letters
-- @include give-up
-- @include cancelled
-- @include cancel-job
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key dead
-- @key unique
-- @key workers
-- @key idle
-- @key letters
-- @arg channel text
-- @arg keepMs int       for how long an outcome waits to be read
-- @arg barMs int        for how long a job that is not there yet is not added by the flow that it belongs to; 0: it may be
-- @arg outcome bytes
-- @arg ids... text
-- @result ok answers:list<text> letters:int
local head, answers = string.sub(jobs, 1, -5), {}
local keys = {
  jobs = jobs, meta = meta, dead = dead, unique = unique, workers = workers, idle = idle, letters = letters, lanes = {urgent, normal, low},
}
for at, id in ipairs(ids) do
  local record = redis.call('HGET', jobs, id)
  if record then
    answers[at] = cancelJob(keys, channel, id, record, keepMs, outcome) or 'missing'
  else
    if barMs > 0 then redis.call('SET', head .. 'op:' .. id, '1', 'PX', barMs) end
    answers[at] = redis.call('GET', head .. 'result:' .. id) == outcome and 'ok' or 'missing'
  end
end
return {'ok', answers, redis.call('HLEN', letters)}
