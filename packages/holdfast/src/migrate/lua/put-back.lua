--- Give BullMQ back what was taken and cannot be moved: to where it was, next in its list.
-- @class idempotent
-- @key taken
-- @key jobs
-- @key meta
-- @key marker
-- @arg places... text  of each job, all of one state: state, score, id; those first that were next
-- @returns int
local count = 0
for at = #places - 2, 1, -3 do
  local state, score, id = places[at], places[at + 1], places[at + 2]
  if redis.call('LREM', taken, 1, cjson.encode({state, score, id})) == 1 then
    if score == '' then redis.call('RPUSH', jobs, id) else redis.call('ZADD', jobs, score, id) end
    count = count + 1
  end
end
-- BullMQ's workers sleep on this one.
if count > 0 and places[1] ~= 'failed' and redis.call('HEXISTS', meta, 'paused') == 0 then
  redis.call('ZADD', marker, 0, '0')
end
return count
