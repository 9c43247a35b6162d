--- Read the state of a cache (see invalidate.lua), or begin it: whatever is stored already is invalid then, as it may have been invalidated before the state was lost.
-- @class idempotent
-- @include now
-- @key state
-- @arg keepMs int
-- @result ok sequence:int cleared:int floor:int
local known = redis.call('ZMSCORE', state, 's', 'c', 'f')
if not known[1] then
  local text = string.format('%.0f', math.floor(nowMicros() / 10))
  redis.call('ZADD', state, text, 's', text, 'c')
  known = { text, text }
end
redis.call('PEXPIRE', state, keepMs)
return {'ok', tonumber(known[1]), tonumber(known[2]), tonumber(known[3] or 0)}
