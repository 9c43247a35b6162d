--- Take back the jobs of a worker whose time is over: each runs again, in front of its lane, or is dead after too many crashes.
-- Idempotent: what was taken back is in no worker's hands any more. `more`: the worker had more jobs than one call takes.
-- @class idempotent
-- @include now
-- @include idle
-- @include options
-- @include events
-- @include deaths
-- @include letters
-- @include groups
-- @include place
-- @include runs
-- @include forget
-- @include give-up
-- @include cancelled
-- @include retention
-- @key workers
-- @key active
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key dead
-- @key idle
-- @key letters
-- @key unique
-- @key control
-- @arg worker text
-- @arg wakeKey text    of the dead worker
-- @arg maxCrashes int
-- @arg deadCount int    how many dead jobs are kept; -1: any number
-- @arg deadAgeMs int    for how long; 0: for ever
-- @arg channel text
-- @result ok recovered:int buried:list<text>
-- @result more recovered:int buried:list<text>
-- @result alive
local until_ = redis.call('ZSCORE', workers, worker)
if until_ and tonumber(until_) >= now() then return 'alive' end
local MAX_JOBS = 50
local ids = redis.call('ZRANGE', active, 0, MAX_JOBS - 1)
local mayBeCancelled = cancelsOf(jobs, active)
-- Before what needs memory, so that it is done also when memory is full.
if #ids > 0 then redis.call('ZREM', active, unpack(ids)) end
local recovered, buried = 0, {}
local KILLER = 'its workers died too often while they ran it'
endRuns(jobs, ids)
-- Backwards, so that the one that was claimed first is in front again.
for at = #ids, 1, -1 do
  local id = ids[at]
  local record = redis.call('HGET', jobs, id)
  local isCancelled = record and mayBeCancelled and redis.call('HEXISTS', meta, 'x' .. id) == 1
  if isCancelled and not undoes(jobs, meta, id, 'it was cancelled') and wasCancelled(jobs, meta, channel, id) then
    tellParents(letters, record, 'd', CANCELLED)
    forget(jobs, meta, {id})
    noteEvent(jobs, channel, 'cancelled', id, record)
    if freeUnique(unique, optionsOf(record).u or '', id) then recovered = recovered + 1 end
  elseif record then
    local counted = redis.call('HINCRBY', meta, 'c' .. id, 1)
    local crashes = counted % 1000000
    local mayUndo = crashes > maxCrashes
      and (counted > crashes and crashes <= 2 * maxCrashes + 1 or undoes(jobs, meta, id, KILLER))
    if crashes > maxCrashes and not mayUndo then
      diedInGroup(string.sub(jobs, 1, -5), record, id)
      freeUnique(unique, optionsOf(record).u or '', id)
      tellParents(letters, record, 'd', '')
      reportDeath(jobs, meta, channel, id, record, KILLER)
      bury(jobs, meta, dead, id, deadCount, deadAgeMs)
      buried[#buried + 1] = id
      noteEvent(jobs, channel, 'dead', id, record)
    else
      place(jobs, {urgent, normal, low}, record, id, true)
      recovered = recovered + 1
      noteEvent(jobs, channel, 'recovered', id, record, worker)
    end
  end
end
if recovered > 0 then wakeWorkers(idle, channel, recovered) end
if #ids == MAX_JOBS then return {'more', recovered, buried} end
redis.call('ZREM', workers, worker)
redis.call('HDEL', control, 'x' .. worker)
redis.call('ZREM', idle, wakeKey)
return {'ok', recovered, buried}
