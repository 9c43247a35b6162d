--- Which of the jobs that a worker runs are cancelled, and with which outcomes: some of them at a time, by their fences. Where none is, the mark of the
-- worker goes, unless it was set again meanwhile.
-- @class idempotent
-- @key active
-- @key meta
-- @key control
-- @arg worker text
-- @arg from int      the first fence
-- @arg since text    the mark, as the first call of a round returned it; empty for the first one
-- @arg found bool    an earlier call of the round has found some
-- @result ok ids:list<text> fences:list<text> outcomes:list<bytes> next:int since:text
local CHUNK = 500
local mark = redis.call('HGET', control, 'x' .. worker) or ''
if since == '' then since = mark end
local ids, fences, outcomes = {}, {}, {}
local flat = redis.call('ZRANGE', active, string.format('%.0f', from), '+inf', 'BYSCORE', 'LIMIT', 0, CHUNK, 'WITHSCORES')
if #flat > 0 then
  local fields = {}
  for at = 1, #flat, 2 do fields[#fields + 1] = 'x' .. flat[at] end
  for at, cancelled in ipairs(redis.call('HMGET', meta, unpack(fields))) do
    if cancelled then
      ids[#ids + 1] = flat[at * 2 - 1]
      fences[#fences + 1] = string.format('%.0f', tonumber(flat[at * 2]))
      outcomes[#outcomes + 1] = string.sub(cancelled, string.find(cancelled, ':', 1, true) + 1)
    end
  end
end
if #flat == CHUNK * 2 then
  -- Those of one claim have one fence, and are fewer than a chunk: the last ones are looked at again.
  local last = tonumber(flat[#flat])
  return {'ok', ids, fences, outcomes, string.format('%.0f', last > from and last or last + 1), since}
end
if not found and #ids == 0 and mark == since then redis.call('HDEL', control, 'x' .. worker) end
return {'ok', ids, fences, outcomes, 0, since}
