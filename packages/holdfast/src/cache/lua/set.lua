--- Store a value and supersede any load under way, whose result would be older.
-- @class idempotent
-- @batch 64
-- @include now
-- @include entry
-- @include supersede
-- @include id-index
-- @key value
-- @key lease
-- @key ids
-- @key ends
-- @arg freshMs int       below 0: for ever
-- @arg keepMs int        freshMs and the grace
-- @arg wakeChannel text
-- @arg id text           for the index
-- @arg head bytes        see entry.ts, without the time
-- @arg payload bytes
-- @arg only text         absent or present, if what there is decides; empty if not
-- @arg known bytes       how an entry begins that counts as none, as it is invalid
-- @result stored
-- @result absent
-- @result present value:bytes
if only ~= '' then
  local found = redis.pcall('GET', value)
  -- A key of another type is as good as none.
  local isThere = type(found) == 'string' and not isOver(found) and (known == '' or string.sub(found, 1, #known) ~= known)
  if only == 'present' and not isThere then return {'absent'} end
  if only == 'absent' and isThere and string.sub(found, 8) ~= string.sub(head, 2) .. payload then return {'present', found} end
end
index(value, ids, ends, id, keepMs)
store(value, head, payload, freshMs, keepMs)
supersede(value, lease, wakeChannel)
return {'stored'}
