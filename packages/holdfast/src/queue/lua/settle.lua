--- End runs of which more is told than that they went well: their results, or that they failed and what becomes of the job.
-- Of a job that is another's by now (its fence differs) nothing changes; its id is in `stale`. One that would be dead, or cancelled, but has
-- something to undo runs once more for it, and is dead then; its id is in `undone`. One that was cancelled while it ran is not run again, whatever its fate here;
-- its id is in `cancelled`.
-- @class unsafe
-- @include now
-- @include idle
-- @include options
-- @include events
-- @include deaths
-- @include groups
-- @include place
-- @include runs
-- @include forget
-- @include letters
-- @include give-up
-- @include die
-- @include pending
-- @include waits-for
-- @include cancelled
-- @include retention
-- @key active
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key dead
-- @key unique
-- @key idle
-- @key blocked
-- @key letters
-- @arg channel text
-- @arg keepMs int       for how long an outcome waits to be read
-- @arg results text     what the keys of outcomes begin with, in front of the job's id
-- @arg keepCount int      how many jobs that ended well are kept; -1: any number, 0: none
-- @arg keepAgeMs int      for how long; 0: for ever
-- @arg deadCount int      the same of dead ones
-- @arg deadAgeMs int
-- @arg leaves bool        the worker goes with the last of what it holds
-- @arg fields... bytes  of each job: id, fence, fate (done, again, dead, expired; later: again, and it has not failed; blocked: it waits for the jobs that it has added; unhandled: it waits for a worker that knows its name; parked: it waits for a signal, or so many milliseconds; group, queue: again, and its group or the queue is paused for the time), milliseconds until it runs again, what is remembered of its failures (or the name of the signal) or empty, unique key or empty, outcome or empty, whether those who wait for it are told (1 or 0), outcome for jobs that wait for it or empty
-- @result ok stale:list<text> undone:list<text> cancelled:list<text>
local function endForGood(id, uniqueKey, outcome, isTold)
  if freeUnique(unique, uniqueKey, id) then wakeWorkers(idle, channel, 1) end
  if outcome == '' then return end
  if isTold == '1' then redis.call('SET', results .. id, outcome, 'PX', keepMs) end
  redis.call('PUBLISH', channel, results .. id)
end
-- Those that it waits for may all have ended meanwhile, or one of them has died.
local function waitForOthers(id, record)
  local left, early, name, outcome = waitsFor(jobs, meta, id)
  if early == 'f' then
    local keys = {jobs = jobs, meta = meta, dead = dead, unique = unique, letters = letters}
    if not dieWith(keys, channel, results, id, record, name, outcome) then return end
  elseif left > 0 and not early then
    redis.call('HSET', blocked, id, left)
    redis.call('ZADD', blocked .. 'At', 'NX', now(), id)
    return
  end
  if place(jobs, {urgent, normal, low}, record, id, true) then wakeWorkers(idle, channel, 1) end
end
local head = string.sub(jobs, 1, -5)
local function isStrict(record)
  return tonumber(string.sub(record, 14, 14)) > 3 and limitsOf(head, groupOf(record)).isStrict
end
-- The job goes back in front, and nothing of its group, or of the queue, is claimed for the time.
local function pauseFor(id, record, fate, delayMs)
  place(jobs, {urgent, normal, low}, record, id, true)
  if fate == 'group' and tonumber(string.sub(record, 14, 14)) > 3 then
    return haltGroup(head, groupOf(record), now() + delayMs)
  end
  local control = head .. 'control'
  local untilMs = math.max(tonumber(redis.call('HGET', control, 'until') or 0), now() + delayMs)
  redis.call('HSET', control, 'until', string.format('%.0f', untilMs), 'rules', '1')
end
local function runAgain(id, record, delayMs, isParked)
  if delayMs <= 0 then
    -- In front, where it was: its turn had come.
    if place(jobs, {urgent, normal, low}, record, id, true) then wakeWorkers(idle, channel, 1) end
    return
  end
  local dueMs = now() + delayMs
  -- One that is parked lets the others of its group through.
  if not isParked and isStrict(record) then
    place(jobs, {urgent, normal, low}, record, id, true)
    return haltGroup(head, groupOf(record), dueMs)
  end
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
  redis.call('ZADD', delayed, dueMs, string.sub(record, 14, 14) .. id)
  if not first or dueMs < tonumber(first) then wakeWorkers(idle, channel, 1) end
end
-- The signal may have come already.
local function waitForSignal(id, record, name, delayMs)
  if redis.call('HEXISTS', string.sub(jobs, 1, -5) .. 'steps:' .. id, 'g' .. name) == 1 then delayMs = 0 end
  if delayMs > 0 then redis.call('HSET', meta, 'w' .. id, string.format('%.0f ', now() + delayMs) .. name) end
  runAgain(id, record, delayMs, true)
end
-- The other workers that listen are all woken: which of them know the name is for them to say.
local function leaveToOthers(id, record)
  local head, name = string.sub(jobs, 1, -5), optionsOf(record).n or ''
  local own = head .. 'wake:' .. string.sub(active, #head + 8)
  local key = head .. 'unhandled:' .. name
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
  redis.call('ZADD', key, last and last + 1 or 0, id)
  local count = redis.call('ZCARD', key)
  redis.call('HSET', head .. 'unhandled', name, count)
  if count > 1 then return end
  for _, wakeKey in ipairs(redis.call('ZRANGE', idle, 0, 99)) do
    if wakeKey ~= own then redis.call('PUBLISH', channel, wakeKey) end
  end
end
local stale, undone, ended, cancelled = {}, {}, {}, {}
local mayBeCancelled = cancelsOf(jobs, active)
for at = 1, #fields, 9 do
  local id, fence, fate, delayMs, info, uniqueKey, outcome, isTold, told = unpack(fields, at, at + 8)
  local held = redis.call('ZSCORE', active, id)
  local record = held and tonumber(held) == tonumber(fence) and redis.call('HGET', jobs, id)
  if not record then
    stale[#stale + 1] = id
  else
    redis.call('ZREM', active, id)
    ended[#ended + 1] = id
    if info ~= '' and fate ~= 'parked' then redis.call('HSET', meta, 'f' .. id, info) end
    local isCancelled = mayBeCancelled and redis.call('HEXISTS', meta, 'x' .. id) == 1
    if (fate == 'dead' or isCancelled) and undoes(jobs, meta, id, isCancelled and 'it was cancelled' or '') then
      undone[#undone + 1] = id
      noteEvent(jobs, channel, 'failed', id, record, '0')
      runAgain(id, record, 0)
    elseif isCancelled and wasCancelled(jobs, meta, channel, id) then
      cancelled[#cancelled + 1] = id
      noteEvent(jobs, channel, 'cancelled', id, record)
      tellParents(letters, record, 'd', CANCELLED)
      forget(jobs, meta, {id})
      endForGood(id, uniqueKey, '', isTold)
    elseif fate == 'done' or fate == 'expired' then
      tellParents(letters, record, fate == 'done' and 'o' or 'd', told)
      if fate == 'done' and keepCount ~= 0 then keep(jobs, meta, id, record, outcome, keepCount, keepAgeMs) end
      forget(jobs, meta, {id})
      endForGood(id, uniqueKey, outcome, isTold)
      noteEvent(jobs, channel, fate == 'done' and 'completed' or 'expired', id, record)
    elseif fate == 'blocked' then
      noteEvent(jobs, channel, 'released', id, record)
      waitForOthers(id, record)
    elseif fate == 'unhandled' then
      noteEvent(jobs, channel, 'released', id, record)
      leaveToOthers(id, record)
    elseif fate == 'parked' then
      noteEvent(jobs, channel, 'released', id, record)
      waitForSignal(id, record, info, tonumber(delayMs))
    elseif fate == 'dead' then
      diedInGroup(head, record, id)
      local why = redis.call('HEXISTS', meta, 's' .. id) == 1 and redis.call('HGET', head .. 'steps:' .. id, '!')
      if why and why ~= '' then redis.call('HSET', meta, 'r' .. id, why) end
      tellParents(letters, record, 'd', told)
      reportDeath(jobs, meta, channel, id, record)
      bury(jobs, meta, dead, id, deadCount, deadAgeMs)
      endForGood(id, uniqueKey, outcome, isTold)
      noteEvent(jobs, channel, 'dead', id, record)
    elseif fate == 'again' or fate == 'later' then
      local hasFailed = fate == 'again' and info ~= ''
      noteEvent(jobs, channel, hasFailed and 'failed' or 'released', id, record, hasFailed and delayMs or '')
      runAgain(id, record, tonumber(delayMs))
    else
      noteEvent(jobs, channel, 'released', id, record)
      pauseFor(id, record, fate, tonumber(delayMs))
    end
  end
end
wakeWorkers(idle, channel, endRuns(jobs, ended))
if leaves and redis.call('EXISTS', active) == 0 then
  local worker = string.sub(active, #head + 8)
  redis.call('ZREM', head .. 'workers', worker)
  redis.call('HDEL', head .. 'control', 'x' .. worker)
end
return {'ok', stale, undone, cancelled}
