--- Change a job that has not started: what is empty stays as it is. `full`: the group that it is to wait in has as many as it may; `blocked`: it waits
-- for other jobs, and a time, or a group, is not to be had. Nothing is changed then.
-- `due` moves it: `now` to the end of its lane if it is delayed, else when it is due.
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
-- @arg regroup bool
-- @arg group text         where it is to be; empty: in none
-- @result ok
-- @result missing
-- @result active
-- @result blocked
-- @result full
local head, record = string.sub(jobs, 1, -5), redis.call('HGET', jobs, id)
if not record or redis.call('ZSCORE', dead, id) then return 'missing' end
if workerOf(id, workers, jobs) then return 'active' end
local options, before = optionsOf(record), string.sub(record, 14, 14)
-- What waits for others, or for the end of the job that has its unique key, has no time of its own.
local isRerunning = isRerun(head, id, options)
local isBlocked = redis.call('HEXISTS', head .. 'blocked', id) == 1
local isMoved = regroup and (options.g or '') ~= group
if (isBlocked or isRerunning) and due ~= '' or isRerunning and isMoved then return 'blocked' end
local inGroup = tonumber(before) > 3
if isMoved then inGroup = group ~= '' end
local plain = lane == '' and (before - 1) % 3 + 1 or tonumber(lane)
local after = string.format('%.0f', plain + (inGroup and 3 or 0))
local text = string.sub(record, 15, string.find(record, '\n', 15, true))
if isMoved then
  options.g = group ~= '' and group or nil
  text = (next(options) and cjson.encode(options) or '') .. '\n'
end
local rest = hasPayload and payload or string.sub(record, string.find(record, '\n', 15, true) + 1)
local changed = string.sub(record, 1, 13) .. after .. text .. rest
local dueNow = redis.call('ZSCORE', delayed, before .. id)
local isElsewhere = after ~= before or isMoved
local toLane = not isBlocked and (due == 'now' and dueNow or due == '' and not dueNow and isElsewhere and not isRerunning)
local dueMs = due ~= 'now' and due ~= '' and (string.sub(due, 1, 1) == '+' and now() + tonumber(due) or tonumber(due))
  or due == '' and dueNow and isElsewhere and tonumber(dueNow)
if toLane and isMoved and inGroup then
  local most = limitsOf(head, group).maxWaiting
  if most > 0 and redis.call('ZCARD', head .. 'group:' .. group) >= most then return 'full' end
end
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
