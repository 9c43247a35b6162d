--- Which of the jobs that a worker runs are cancelled, and with which outcomes. Where none is, the mark of the worker goes.
-- @class idempotent
-- @key active
-- @key meta
-- @key control
-- @arg worker text
-- @result ok ids:list<text> fences:list<text> outcomes:list<bytes>
local CHUNK = 500
local ids, fences, outcomes = {}, {}, {}
for from = 0, redis.call('ZCARD', active) - 1, CHUNK do
  local flat, fields = redis.call('ZRANGE', active, from, from + CHUNK - 1, 'WITHSCORES'), {}
  for at = 1, #flat, 2 do fields[#fields + 1] = 'x' .. flat[at] end
  for at, mark in ipairs(redis.call('HMGET', meta, unpack(fields))) do
    if mark then
      ids[#ids + 1] = flat[at * 2 - 1]
      fences[#fences + 1] = string.format('%.0f', tonumber(flat[at * 2]))
      outcomes[#outcomes + 1] = string.sub(mark, string.find(mark, ':', 1, true) + 1)
    end
  end
end
if #ids == 0 then redis.call('HDEL', control, 'x' .. worker) end
return {'ok', ids, fences, outcomes}
