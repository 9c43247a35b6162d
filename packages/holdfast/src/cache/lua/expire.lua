--- End an entry's time, but keep it for its grace; one that has none is removed. Supersedes any load under way.
-- @class idempotent
-- @batch 64
-- @include now
-- @include entry
-- @include served
-- @include supersede
-- @key value
-- @key lease
-- @arg wakeChannel text
-- @arg graceMs int       of an entry that was to be kept for ever
-- @result expired head:bytes
-- @result missing
-- More than a process may be wrong by in what it takes for this server's time: the entry is over for each of them at once.
local CLOCK_ERROR_MS = 1000
supersede(value, lease, wakeChannel)
local head = headOf(value)
local served = isServed(head)
local keptMs = redis.call('PTTL', value)
if not hasGrace(head) or (keptMs == -1 and graceMs == 0) then
  redis.call('DEL', value)
elseif not isOver(head) then
  if keptMs == -1 then redis.call('PEXPIRE', value, graceMs) end
  redis.call('SETRANGE', value, 1, struct.pack('>I6', now() - CLOCK_ERROR_MS))
end
if served then return {'expired', head} end
return {'missing'}
