--- Change some fields of a record that is there.
-- @class dedupable
-- @batch
-- @include now
-- @include record
-- @key record
-- @arg opId text         names this write
-- @arg expected int      the version that must be stored, -1 for any
-- @arg ttlMs int
-- @arg removed json      names of fields
-- @arg layout json       names of the fields, each followed by the length of its value
-- @arg payload bytes     the values, one after the other
-- @result ok version:int
-- @result missing
-- @result conflict version:int known:bool
local state = stateOf(record)
if not state then return {'missing'} end
local version = madeBy(state, opId)
if version then return {'ok', version} end
if expected >= 0 and expected ~= state.version then
  return {'conflict', state.version, remembers(state, expected) and 1 or 0}
end
for _, name in ipairs(removed) do redis.call('HDEL', record, 'd:' .. name) end
return {'ok', commit(record, state, opId, ttlMs, fieldsOf(layout, payload))}
