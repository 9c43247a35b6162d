--- Add jobs that run as soon as possible and have nothing of their own: no id, no unique key, no time. What most jobs are.
-- Their ids are `prefix` and two characters each. A repetition of the call adds nothing: `operations` has a bit for each of some
-- neighbouring calls of one producer, which is much less than a key for each.
-- @class dedupable
-- @include now
-- @include idle
-- @key operations
-- @key jobs
-- @key urgent
-- @key normal
-- @key low
-- @key idle
-- @arg call int        its bit
-- @arg operationTtlMs int
-- @arg channel text
-- @arg prefix text
-- @arg places text     two characters a job
-- @arg lanes text      lane (1 to 3) of each, a digit a job; or one digit, which is of all
-- @arg records... bytes  without the time and the lane
-- @result ok
if redis.call('SETBIT', operations, call, 1) == 1 then return 'ok' end
redis.call('PEXPIRE', operations, operationTtlMs)
local stamp, stored, heads, waiting = string.format('%013.0f', now()), {}, {}, {{}, {}, {}}
for lane = 1, 3 do heads[lane] = stamp .. lane end
local all = #lanes == 1 and tonumber(lanes)
for at, record in ipairs(records) do
  local lane = all or tonumber(string.sub(lanes, at, at))
  local id, ids = prefix .. string.sub(places, at * 2 - 1, at * 2), waiting[lane]
  ids[#ids + 1], stored[at * 2 - 1], stored[at * 2] = id, id, heads[lane] .. record
end
redis.call('HSET', jobs, unpack(stored))
for lane, ids in ipairs(waiting) do
  if #ids > 0 then redis.call('RPUSH', ({urgent, normal, low})[lane], unpack(ids)) end
end
if redis.call('EXISTS', idle) == 1 then wakeWorkers(idle, channel, #records) end
return 'ok'
