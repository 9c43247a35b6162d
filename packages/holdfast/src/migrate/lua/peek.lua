--- Read jobs of BullMQ that wait, from those that are next on; nothing changes.
-- @class read
-- @include job
-- @key jobs
-- @arg prefix text
-- @arg state text     wait and paused are lists, the others sorted sets
-- @arg skip int       how many of those that are next are passed over
-- @arg count int
-- @returns list<bytes?>
local rows = {}
if state == 'wait' or state == 'paused' then
  local ids = redis.call('LRANGE', jobs, -(skip + count), -(skip + 1))
  for at = #ids, 1, -1 do readJob(rows, prefix, ids[at], state, '') end
else
  local members = redis.call('ZRANGE', jobs, skip, skip + count - 1, 'WITHSCORES')
  for at = 1, #members, 2 do readJob(rows, prefix, members[at], state, members[at + 1]) end
end
return rows
