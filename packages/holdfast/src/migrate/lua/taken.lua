--- Read the jobs that were taken out of BullMQ's reach and are not removed yet, those first that were taken first.
-- @class read
-- @include job
-- @key taken
-- @arg prefix text
-- @arg count int
-- @returns list<bytes?>
local rows = {}
for _, entry in ipairs(redis.call('LRANGE', taken, 0, count - 1)) do
  local state, score, id = unpack(cjson.decode(entry))
  readJob(rows, prefix, id, state, score)
end
return rows
