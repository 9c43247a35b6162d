-- Where jobs wait: a list for each priority, the most urgent one first, or their group. A job's record begins with the server's time at which
-- it was added (13 digits, milliseconds) and one digit: its lane, and 3 more if it has a group. Needs the include `groups`.
-- Whether the job may be claimed now.
local function place(jobs, lanes, record, id, inFront)
  local lane = tonumber(string.sub(record, 14, 14))
  if lane > 3 then
    return (placeInGroup(string.sub(jobs, 1, -5), groupOf(record), lane - 3, {id}, inFront))
  end
  redis.call(inFront and 'LPUSH' or 'RPUSH', lanes[lane], id)
  return true
end
