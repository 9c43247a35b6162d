--- Replace a whole record, or create it. `forgotten`: a repeat, and whether it was executed before is not known any more.
-- @class dedupable
-- @batch 32
-- @include now
-- @include record
-- @key record
-- @arg opId text         names this write
-- @arg againMs int       0; when it is sent again: for how long it may have been under way
-- @arg expected int      the version that must be stored: 0 for no record, -1 for any state
-- @arg ttlMs int
-- @arg layout json       names of the fields, each followed by the length of its value
-- @arg payload bytes     the values, one after the other
-- @result ok version:int
-- @result conflict version:int
-- @result forgotten
local state = stateOf(record)
local version = state and madeBy(state, opId)
if version then return {'ok', version} end
local current = state and state.version or 0
if expected >= 0 and expected ~= current then
  if againMs > 0 and not (state and remembers(state, expected)) then return {'forgotten'} end
  return {'conflict', current}
end
if againMs > 0 and expected < 0 and state and mayForget(state, againMs) then return {'forgotten'} end
local fields = fieldsOf(layout, payload)
redis.call('DEL', record)
return {'ok', commit(record, state, opId, ttlMs, fields)}
