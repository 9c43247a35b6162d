--- Replace a whole record, or create it.
-- @class dedupable
-- @batch
-- @include now
-- @include record
-- @key record
-- @arg opId text         names this write
-- @arg expected int      the version that must be stored: 0 for no record, -1 for any state
-- @arg ttlMs int
-- @arg layout json       names of the fields, each followed by the length of its value
-- @arg payload bytes     the values, one after the other
-- @result ok version:int
-- @result conflict version:int known:bool
local state = stateOf(record)
local version = state and madeBy(state, opId)
if version then return {'ok', version} end
local current = state and state.version or 0
if expected >= 0 and expected ~= current then
  return {'conflict', current, state and remembers(state, expected) and 1 or 0}
end
local fields = fieldsOf(layout, payload)
redis.call('DEL', record)
return {'ok', commit(record, state, opId, ttlMs, fields)}
