--- Remove a job that is not running. Its id stays in its lane until its turn comes, and is passed over then; out of a group it goes at once.
-- @class idempotent
-- @include forget
-- @include worker-of
-- @include now
-- @include options
-- @include groups
-- @include runs
-- @include idle
-- @key jobs
-- @key meta
-- @key delayed
-- @key dead
-- @key unique
-- @key workers
-- @key idle
-- @key blocked
-- @arg id text
-- @arg uniqueKey text
-- @arg channel text
-- @result ok
-- @result missing
-- @result busy
local record = redis.call('HGET', jobs, id)
if not record then return 'missing' end
if workerOf(id, workers, jobs) then return 'busy' end
redis.call('ZREM', delayed, string.sub(record, 14, 14) .. id)
redis.call('ZREM', dead, id)
redis.call('HDEL', blocked, id)
if tonumber(string.sub(record, 14, 14)) > 3 then
  local head, group = string.sub(jobs, 1, -5), groupOf(record)
  leaveGroup(head, group, id)
  if leftHead(head, group, id) and readyGroup(head, group) then wakeWorkers(idle, channel, 1) end
  -- Of a run that no worker knows any more.
  endRuns(jobs, {id})
end
freeUnique(unique, uniqueKey, id)
forget(jobs, meta, {id})
return 'ok'
