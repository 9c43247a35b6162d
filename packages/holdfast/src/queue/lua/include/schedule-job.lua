-- Adds the job of a schedule, as any other job is added; false where there is one of this id already. A schedule's record
-- begins with the lane and the options of its jobs. Needs the include `now`.
local function addScheduled(jobs, lanes, record, id, scheduledFor)
  local lane, options, from = string.match(record, '^(%d)([^\n]*)\n[^\n]*\n()')
  local job = string.format('%013.0f', now()) .. lane .. '{"s":' .. string.format('%.0f', scheduledFor) .. options .. '}\n'
  if redis.call('HSETNX', jobs, id, job .. string.sub(record, from)) == 0 then return false end
  redis.call('RPUSH', lanes[tonumber(lane)], id)
  return true
end
