--- Take jobs out of BullMQ's reach, those of them that still wait: into a list of our own, in the same step.
-- A repetition takes nothing a second time. Its workers find them no more; their data stays where it is.
-- @class idempotent
-- @key jobs
-- @key taken
-- @arg state text
-- @arg ids... text
-- @returns int
local count = 0
for _, id in ipairs(ids) do
  local score = ''
  local removed
  if state == 'wait' or state == 'paused' then
    removed = redis.call('LREM', jobs, -1, id)
  else
    score = redis.call('ZSCORE', jobs, id)
    removed = redis.call('ZREM', jobs, id)
  end
  if removed == 1 then
    redis.call('RPUSH', taken, cjson.encode({state, score, id}))
    count = count + 1
  end
end
return count
