--- A worker goes: what it still holds waits again, in front, and uses up no attempt.
-- `more`: it held more jobs than one call takes.
-- @class idempotent
-- @include now
-- @include idle
-- @include forget
-- @include options
-- @include events
-- @include letters
-- @include give-up
-- @include cancelled
-- @include groups
-- @include place
-- @include runs
-- @key workers
-- @key active
-- @key jobs
-- @key meta
-- @key urgent
-- @key normal
-- @key low
-- @key idle
-- @key unique
-- @key control
-- @key letters
-- @arg worker text
-- @arg channel text
-- @arg wakeKey text
-- @result ok released:int
-- @result more released:int
local MAX_JOBS = 100
local ids = redis.call('ZREVRANGE', active, 0, MAX_JOBS - 1)
local mayBeCancelled = cancelsOf(jobs, active)
-- Before what needs memory, so that it is done also when memory is full.
if #ids > 0 then redis.call('ZREM', active, unpack(ids)) end
local released = 0
endRuns(jobs, ids)
-- Backwards, so that the one that was claimed first is in front again.
for _, id in ipairs(ids) do
  local record = redis.call('HGET', jobs, id)
  local isCancelled = record and mayBeCancelled and redis.call('HEXISTS', meta, 'x' .. id) == 1
  if isCancelled and not undoes(jobs, meta, id, 'it was cancelled') and wasCancelled(jobs, meta, channel, id) then
    tellParents(letters, record, 'd', CANCELLED)
    forget(jobs, meta, {id})
    noteEvent(jobs, channel, 'cancelled', id, record)
    if freeUnique(unique, optionsOf(record).u or '', id) then released = released + 1 end
  elseif record then
    place(jobs, {urgent, normal, low}, record, id, true)
    released = released + 1
    noteEvent(jobs, channel, 'released', id, record)
  end
end
if released > 0 then wakeWorkers(idle, channel, released) end
if #ids == MAX_JOBS then return {'more', released} end
redis.call('ZREM', workers, worker)
redis.call('HDEL', control, 'x' .. worker)
redis.call('ZREM', idle, wakeKey)
return {'ok', released}
