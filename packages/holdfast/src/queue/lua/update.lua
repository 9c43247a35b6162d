--- Change a job that has not started: what is empty stays as it is.
-- `due` moves it: `now` to the end of its lane if it is delayed, else when it is due. One that waits for others cannot be moved: `busy`.
-- @class idempotent
-- @include now
-- @include idle
-- @include worker-of
-- @include options
-- @include events
-- @include groups
-- @include place
-- @include ghosts
-- @include unplace
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @key delayed
-- @key dead
-- @key workers
-- @key idle
-- @arg channel text
-- @arg id text
-- @arg lane text          1 to 3
-- @arg due text           `now`, +milliseconds from now, or milliseconds since 1970
-- @arg hasPayload bool
-- @arg payload bytes
-- @result ok
-- @result missing
-- @result busy
local record = redis.call('HGET', jobs, id)
if not record or redis.call('ZSCORE', dead, id) then return 'missing' end
if workerOf(id, workers, jobs) then return 'busy' end
local before = string.sub(record, 14, 14)
local inGroup = tonumber(before) > 3 and 3 or 0
local after = lane == '' and before or tostring(tonumber(lane) + inGroup)
local changed = string.sub(record, 1, 13) .. after .. string.sub(record, 15)
if hasPayload then
  changed = string.sub(changed, 1, string.find(changed, '\n', 15, true)) .. payload
end
local dueNow = redis.call('ZSCORE', delayed, before .. id)
local head = string.sub(jobs, 1, -5)
local isBlocked = redis.call('HEXISTS', head .. 'blocked', id) == 1
if isBlocked and due ~= '' then return 'busy' end
local isElsewhere = isBlocked or isRerun(head, id, optionsOf(record))
local toLane = due == 'now' and dueNow or due == '' and not dueNow and after ~= before and not isElsewhere
local dueMs = due ~= 'now' and due ~= '' and (string.sub(due, 1, 1) == '+' and now() + tonumber(due) or tonumber(due))
  or due == '' and dueNow and after ~= before and tonumber(dueNow)
if toLane or dueMs then unplace(jobs, id, record) end
if changed ~= record then redis.call('HSET', jobs, id, changed) end
if toLane then
  if place(jobs, {urgent, normal, low}, changed, id) then wakeWorkers(idle, channel, 1) end
elseif dueMs then
  local first = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2]
  redis.call('ZADD', delayed, dueMs, after .. id)
  if not first or dueMs < tonumber(first) then wakeWorkers(idle, channel, 1) end
end
noteEvent(jobs, channel, 'updated', id, changed)
return 'ok'
