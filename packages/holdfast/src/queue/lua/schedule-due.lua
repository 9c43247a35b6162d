--- Which schedules are due, those that are longest so first, and in how many milliseconds the next one is (-1: none is).
-- Of a schedule's record it returns the line that says when and how.
-- @class read
-- @include now
-- @key ticks
-- @key states
-- @key schedules
-- @arg limit int
-- @result ok nowMs:int nextMs:int ids:list<text> states:list<text?> plans:list<text?>
local due = redis.call('ZRANGE', ticks, '-inf', now(), 'BYSCORE', 'LIMIT', 0, limit)
local first = redis.call('ZRANGE', ticks, '(' .. now(), '(+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')[2]
local found, plans = {}, {}
if #due > 0 then
  found = redis.call('HMGET', states, unpack(due))
  for at, record in ipairs(redis.call('HMGET', schedules, unpack(due))) do
    plans[at] = record and string.match(record, '^[^\n]*\n([^\n]*)\n') or false
  end
end
return {'ok', now(), first and string.format('%.0f', tonumber(first) - now()) or -1, due, found, plans}
