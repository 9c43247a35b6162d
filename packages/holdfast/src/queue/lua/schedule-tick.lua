--- Add the jobs of schedules that are due and store when each is due next, in one step. A schedule whose state is no longer
-- what the caller saw was ticked, changed or removed meanwhile: nothing happens for it (`stale`), so that of many callers,
-- and of a late copy, one tick has one job.
-- @class idempotent
-- @include now
-- @include idle
-- @include schedule-state
-- @include options
-- @include events
-- @include groups
-- @include place
-- @include schedule-job
-- @include forget
-- @include worker-of
-- @include ghosts
-- @include unplace
-- @include letters
-- @include give-up
-- @include cancelled
-- @include cancel-job
-- @key ticks
-- @key states
-- @key schedules
-- @key jobs
-- @key meta
-- @key dead
-- @key unique
-- @key workers
-- @key letters
-- @key urgent
-- @key normal
-- @key low
-- @key idle
-- @arg channel text
-- @arg jobHead text    what ids of jobs begin with
-- @arg retryMs int      how soon a tick that is held back is looked at again
-- @arg keepMs int       for how long the outcome of a cancelled job waits to be read
-- @arg outcome bytes    of a cancelled job
-- @arg fields... text   of each schedule: id, state as it was seen, tick after these (0: none), when that is due, overlap (all, skip, bufferOne or cancelOther), most runs (0: any number), how late a run counts as late, ticks missed, how many ticks follow, each with when it was due
-- @result ok added:int late:int missed:int skipped:int stale:int
local lanes = {urgent, normal, low}
local added, late, missed, skipped, stale = 0, 0, 0, 0, 0
local function jobOf(id, tick) return jobHead .. id .. '@' .. string.format('%.0f', tick) end
local function isOver(id, tick)
  if tick == 0 then return true end
  local job = jobOf(id, tick)
  return redis.call('HEXISTS', jobs, job) == 0 or redis.call('ZSCORE', dead, job) ~= false
end
-- The last one of those that are due cancels the job of the last tick, whatever that is doing.
local function cancelOther(id, tick)
  local job = jobOf(id, tick)
  local record = redis.call('HGET', jobs, job)
  local keys = {
    jobs = jobs, meta = meta, dead = dead, unique = unique, workers = workers, idle = idle, letters = letters, lanes = lanes,
  }
  if record then cancelJob(keys, channel, job, record, keepMs, outcome) end
end
local function tickOne(id, at)
  local record, seen = redis.call('HGET', schedules, id), redis.call('HGET', states, id)
  local state = seen == fields[at + 1] and parseState(seen)
  local isEarly = state and tonumber(fields[at + 2]) ~= state[NEXT] and now() < state[DUE]
  if not record or not state or state[PAUSED] == 1 or isEarly then
    stale = stale + 1
    return
  end
  local overlap, most, graceMs = fields[at + 4], tonumber(fields[at + 5]), tonumber(fields[at + 6])
  local function isDone() return most > 0 and state[RUNS] >= most end
  local function run(tick, dueMs)
    state[LAST] = tick
    if not addScheduled(jobs, channel, lanes, record, jobOf(id, tick), tick) then return end
    state[RUNS], state[LATE_MS] = state[RUNS] + 1, math.max(now() - dueMs, 0)
    added = added + 1
    if state[LATE_MS] > graceMs then state[LATE], late = state[LATE] + 1, late + 1 end
  end
  if state[HELD] > 0 and isOver(id, state[LAST]) then
    local held = state[HELD]
    state[HELD] = 0
    run(held, held)
  end
  local lastAt = at + 7 + 2 * tonumber(fields[at + 8])
  for tickAt = at + 9, lastAt, 2 do
    local tick = tonumber(fields[tickAt])
    if isDone() then break end
    if overlap == 'cancelOther' and tickAt == lastAt then
      cancelOther(id, state[LAST])
      run(tick, tonumber(fields[tickAt + 1]))
    elseif overlap == 'all' or overlap ~= 'cancelOther' and isOver(id, state[LAST]) then
      run(tick, tonumber(fields[tickAt + 1]))
    elseif overlap == 'bufferOne' and state[HELD] == 0 then
      state[HELD] = tick
    else
      state[SKIPPED], skipped = state[SKIPPED] + 1, skipped + 1
    end
  end
  local gone = tonumber(fields[at + 7])
  state[MISSED], missed = state[MISSED] + gone, missed + gone
  state[NEXT], state[DUE] = tonumber(fields[at + 2]), tonumber(fields[at + 3])
  if isDone() then state[NEXT], state[DUE], state[HELD] = 0, 0, 0 end
  redis.call('HSET', states, id, formatState(state))
  local score = state[NEXT] == 0 and math.huge or state[DUE]
  if state[HELD] > 0 then score = math.min(score, now() + retryMs) end
  redis.call('ZADD', ticks, score == math.huge and '+inf' or score, id)
end
local at = 1
while at <= #fields do
  tickOne(fields[at], at)
  at = at + 9 + 2 * tonumber(fields[at + 8])
end
if added > 0 then wakeWorkers(idle, channel, added) end
return {'ok', added, late, missed, skipped, stale}
