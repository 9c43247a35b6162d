--- Read the state of a cache (see invalidate.lua), or begin it: whatever is stored already is invalid then, as it may have been invalidated before the state was lost.
-- @class idempotent
-- @include now
-- @include sequence
-- @key state
-- @arg keepMs int
-- @result ok sequence:int cleared:int floor:int
local known = redis.call('ZMSCORE', state, 's', 'c', 'f')
local isNew = not known[1]
if isNew then
  local _, text = nextSequence()
  redis.call('ZADD', state, text, 's', text, 'c')
  known = { text, text }
end
keepState(state, isNew, keepMs)
return {'ok', tonumber(known[1]), tonumber(known[2]), tonumber(known[3] or 0)}
