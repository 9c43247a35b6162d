--- Write a record that is in indexes, over the version that its entries were made for. `late`: begun too long ago, so its entries may be gone.
-- `again`: it may have made a record that was deleted since, and with it what pointed to it.
-- @class dedupable
-- @batch 32
-- @include now
-- @include record
-- @key record
-- @arg opId text         names this write
-- @arg againMs int       0; when it is sent again: for how long it may have been under way
-- @arg expected int      the version that must be stored: 0 for no record, -1 for any that there is
-- @arg begunAt int       milliseconds since 1970 on the servers' clocks
-- @arg withinMs int      how long ago that may be
-- @arg ttlMs int
-- @arg whole bool        whether the record is replaced
-- @arg removed json      fields of the hash
-- @arg layout json       fields of the hash, each followed by the length of its value
-- @arg payload bytes     the values, one after the other
-- @arg expiring json     names of fields that expire, each followed by its milliseconds
-- @result ok version:int
-- @result conflict version:int
-- @result missing
-- @result late
-- @result again
-- @result forgotten
local state = stateOf(record)
local version = state and madeBy(state, opId)
if version then return {'ok', version} end
local current = state and state.version or 0
if expected >= 0 and expected ~= current then
  if againMs > 0 and not (state and remembers(state, expected)) then return {'forgotten'} end
  return {'conflict', current}
end
if expected < 0 and not state then return {againMs > 0 and 'forgotten' or 'missing'} end
if againMs > 0 and expected < 0 and mayForget(state, againMs) then return {'forgotten'} end
if againMs > 0 and not state then return {'again'} end
if now() - begunAt > withinMs then return {'late'} end
local fields, at = {}, 1
for i = 1, #layout, 2 do
  local after = at + layout[i + 1]
  fields[i], fields[i + 1] = layout[i], string.sub(payload, at, after - 1)
  at = after
end
for i = 1, #expiring, 2 do
  fields[#fields + 1] = 'e:' .. expiring[i]
  fields[#fields + 1] = string.format('%.0f', now() + expiring[i + 1])
end
if whole then
  redis.call('DEL', record)
else
  for _, name in ipairs(removed) do redis.call('HDEL', record, name) end
end
return {'ok', commit(record, state, opId, ttlMs, fields)}
