--- Add jobs that run as soon as possible and have nothing of their own: no id, no unique key, no time. What most jobs are.
-- Their ids are `prefix` and their place in the call, counted from 1. A repetition of the call adds nothing.
-- @class dedupable
-- @include now
-- @include idle
-- @key operation
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @key idle
-- @arg operationTtlMs int
-- @arg channel text
-- @arg prefix text
-- @arg places text    lane (1 to 3) of each, a digit a job
-- @arg lengths text   of each record in bytes, with a comma behind each
-- @arg records bytes  without the time, one behind the other
-- @result ok
if not redis.call('SET', operation, '1', 'NX', 'PX', operationTtlMs) then return 'ok' end
local stamp = string.format('%013.0f', now())
local stored, waiting, from, count = {}, {{}, {}, {}}, 1, 0
for length in string.gmatch(lengths, '%d+') do
  count = count + 1
  local id, lane = prefix .. count, string.sub(places, count, count)
  local next_ = from + length
  stored[count * 2 - 1] = id
  stored[count * 2] = stamp .. lane .. string.sub(records, from, next_ - 1)
  from = next_
  local list = waiting[tonumber(lane)]
  list[#list + 1] = id
end
redis.call('HSET', jobs, unpack(stored))
for lane, list in ipairs(waiting) do
  if #list > 0 then redis.call('RPUSH', ({urgent, normal, low})[lane], unpack(list)) end
end
if redis.call('EXISTS', idle) == 1 then wakeWorkers(idle, channel, count) end
return 'ok'
