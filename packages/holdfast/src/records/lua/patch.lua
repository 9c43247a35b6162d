--- Change some fields of a record that is there. `forgotten`: as of set.
-- @class dedupable
-- @batch 40
-- @include now
-- @include record
-- @key record
-- @arg opId text         names this write
-- @arg againMs int       0; when it is sent again: for how long it may have been under way
-- @arg expected int      the version that must be stored, -1 for any
-- @arg ttlMs int
-- @arg removed json      names of fields
-- @arg layout json       names of the fields, each followed by the length of its value
-- @arg payload bytes     the values, one after the other
-- @result ok version:int
-- @result missing
-- @result conflict version:int
-- @result forgotten
local state = stateOf(record)
-- It may have been there when the patch was executed.
if not state then return {againMs > 0 and 'forgotten' or 'missing'} end
local version = madeBy(state, opId)
if version then return {'ok', version} end
if expected >= 0 and expected ~= state.version then
  if againMs > 0 and not remembers(state, expected) then return {'forgotten'} end
  return {'conflict', state.version}
end
if againMs > 0 and expected < 0 and mayForget(state, againMs) then return {'forgotten'} end
for _, name in ipairs(removed) do redis.call('HDEL', record, 'd:' .. name) end
return {'ok', commit(record, state, opId, ttlMs, fieldsOf(layout, payload))}
