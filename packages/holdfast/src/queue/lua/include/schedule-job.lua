-- Adds the job of a schedule, as any other job is added; false where there is one of this id already. A schedule's record
-- begins with the lane and the options of its jobs. Needs the includes `now`, `place` and `events`.
local function addScheduled(jobs, channel, lanes, record, id, scheduledFor)
  local lane, options, from = string.match(record, '^(%d)([^\n]*)\n[^\n]*\n()')
  local job = string.format('%013.0f', now()) .. lane .. '{"s":' .. string.format('%.0f', scheduledFor) .. options .. '}\n'
  local added = job .. string.sub(record, from)
  if redis.call('HSETNX', jobs, id, added) == 0 then return false end
  place(jobs, lanes, added, id)
  noteEvent(jobs, channel, 'added', id, added)
  return true
end
