--- Remove jobs that are not running, also those that are kept. The id of one that waits stays in its lane until its turn comes, and is passed over
-- then; out of a group it goes at once.
-- @class idempotent
-- @include now
-- @include idle
-- @include forget
-- @include worker-of
-- @include options
-- @include events
-- @include groups
-- @include runs
-- @include ghosts
-- @include unplace
-- @include letters
-- @include retention
-- @key jobs
-- @key meta
-- @key dead
-- @key unique
-- @key workers
-- @key completed
-- @key kept
-- @key idle
-- @key letters
-- @arg channel text
-- @arg ids... text
-- @result ok answers:list<text> letters:int
local answers = {}
for at, id in ipairs(ids) do
  local record = redis.call('HGET', jobs, id)
  if not record then
    answers[at] = redis.call('ZREM', completed, id) == 1 and 'ok' or 'missing'
    dropKept(kept, {id})
    if answers[at] == 'ok' then noteEvent(jobs, channel, 'removed', id) end
  elseif workerOf(id, workers, jobs) then
    answers[at] = 'busy'
  else
    if redis.call('ZREM', dead, id) == 0 then
      unplace(jobs, id, record)
      -- Those that wait for it would wait for ever.
      tellParents(letters, record, 'd', '')
    end
    if tonumber(string.sub(record, 14, 14)) > 3 then
      local head, group = string.sub(jobs, 1, -5), groupOf(record)
      if leftHead(head, group, id) and readyGroup(head, group) then wakeWorkers(idle, channel, 1) end
      -- Of a run that no worker knows any more.
      endRuns(jobs, {id})
    end
    if freeUnique(unique, optionsOf(record).u or '', id) then wakeWorkers(idle, channel, 1) end
    forget(jobs, meta, {id})
    noteEvent(jobs, channel, 'removed', id, record)
    answers[at] = 'ok'
  end
end
return {'ok', answers, redis.call('HLEN', letters)}
